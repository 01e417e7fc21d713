"""Start what is measured on its core, time its first good answer, and stop it again."""

import contextlib
import functools
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.machine import cpu_ns, process_tree
from benchmarks.prompts import chat_body
from benchmarks.targets import HEADERS, ROOT, Builder, Site, Target

_POLL_S = 0.005
_STOP_S = 10.0


class NotStarted(Exception):
    """A target gave no good answer in its time; the message has what it said."""


class Running:
    """A target that answers.

    Attributes:
        target: What it is.
        cold_start_s: From its start to its first good answer; ``None`` if it ran already.
    """

    def __init__(
        self,
        target: Target,
        folder: Path,
        process: subprocess.Popen[bytes] | None,
        cold_start_s: float | None,
    ) -> None:
        self.target = target
        self.cold_start_s = cold_start_s
        self._folder = folder
        self._process = process

    @property
    def folder(self) -> Path:
        """The folder that was made for it."""
        return self._folder

    def pids(self) -> list[int]:
        """Return all of its processes; none for a target that was not started here."""
        return [] if self._process is None else process_tree(self._process.pid)

    def settle(self, limit_s: float) -> float:
        """Wait until it is idle, at most ``limit_s``; return the CPU seconds that it used.

        What a gateway has put off, such as writing records to a database, is done now and
        belongs to the load before, not to the next.
        """
        if self._process is None:
            return 0.0
        begin = last = sum(cpu_ns(self.pids()).values())
        end_s = time.monotonic() + limit_s
        while time.monotonic() < end_s:
            time.sleep(0.2)
            now = sum(cpu_ns(self.pids()).values())
            if now - last < 0.03 * 0.2e9:
                break
            last = now
        return (sum(cpu_ns(self.pids()).values()) - begin) / 1e9

    def stop(self) -> None:
        """End it, gently first, and remove its folder."""
        if self._process is not None:
            end_process(self._process)
        shutil.rmtree(self._folder, ignore_errors=True)


def end_process(process: subprocess.Popen[bytes]) -> None:
    """End a process and all below it, gently first."""
    pids = process_tree(process.pid)
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_S)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def start_pinned(
    command: Sequence[str], core: int, log: Path, environment: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start ``command`` with all that it will start on ``core``; its output goes to ``log``."""
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=functools.partial(os.sched_setaffinity, 0, {core}),
        )


def start(builder: Builder, upstream: str, core: int) -> Running:
    """Start a target and wait for its first good answer.

    Raises:
        Unavailable: It cannot be started here.
        NotStarted: It could, but gave no good answer.
    """
    folder = Path(tempfile.mkdtemp(prefix="steadyhand-bench-"))
    process = None
    try:
        port, second_port = free_ports(2)
        target = builder(Site(folder, port, second_port, upstream))
        log = folder / "output.log"
        begin_s = time.monotonic()
        if target.command:
            process = start_pinned(target.command, core, log, dict(target.environment))
        _await_answer(target, process, log, begin_s + target.start_limit_s)
        cold_start_s = time.monotonic() - begin_s if process else None
        return Running(target, folder, process, cold_start_s)
    except BaseException:
        if process is not None:
            end_process(process)
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _await_answer(
    target: Target, process: subprocess.Popen[bytes] | None, log: Path, end_s: float
) -> None:
    problem = ""
    while time.monotonic() < end_s:
        if process is not None and process.poll() is not None:
            said = log.read_text(encoding="utf-8", errors="replace")[-600:]
            raise NotStarted(f"ended with {process.returncode}: {said}")
        problem = ask(target.url)
        if not problem:
            return
        time.sleep(_POLL_S)
    raise NotStarted(f"no good answer: {problem}")


def ask(url: str) -> str:
    """Send one request; return what is wrong with the answer, or nothing."""
    parts = urlsplit(url)
    headers = {"Content-Type": "application/json"}
    headers |= dict(line.split(": ", 1) for line in HEADERS)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request("POST", parts.path, chat_body(), headers)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        return repr(error)
    finally:
        connection.close()
    if response.status == 200 and b'"choices"' in body:
        return ""
    return f"status {response.status}: {body[:300].decode(errors='replace')}"


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextlib.contextmanager
def mock_upstream(core: int) -> Iterator[tuple[str, int]]:
    """Run the mock upstream; give its address, without path, and its process id."""
    [port] = free_ports(1)
    upstream = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="steadyhand-bench-") as folder:
        log = Path(folder) / "mock.log"
        command = (sys.executable, "-m", "benchmarks.mock_upstream", "--port", str(port))
        process = start_pinned(command, core, log)
        try:
            target = Target(f"{upstream}/v1/chat/completions")
            _await_answer(target, process, log, time.monotonic() + 10)
            yield upstream, process.pid
        finally:
            end_process(process)
