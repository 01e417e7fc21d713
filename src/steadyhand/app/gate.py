"""The gate's hands: serve what is and what would be, and ask both the same questions.

Each arm is a copy of its workspace in a folder of its own, served on a free port of loopback by
the same command as in production, with a key that exists only there. So the prompt, the ladder,
limits and guards are those of the release, and nothing of the installation is touched.
"""

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from queue import Empty, Queue
from random import Random
from threading import Thread
from typing import Final, NamedTuple

from steadyhand.core.errors import ConfigurationError, SteadyhandError
from steadyhand.evals.gate.checks import Answer
from steadyhand.evals.gate.suite import Case, Suite
from steadyhand.evals.gate.verdict import Pair
from steadyhand.settings.keyedit import create_key

START_S: Final = 60.0
STOP_S: Final = 20.0
ANSWER_S: Final = 120.0
AT_ONCE: Final = 4
"""Pairs that are asked at the same time."""
NOT_COPIED: Final = (".git", ".steadyhand", "node_modules", "__pycache__")
KEY: Final = "gate"
CHANNEL: Final = "dev"
ADDRESS: Final = re.compile(r"AI API +http://127\.0\.0\.1:(\d+)")


class ArmFailed(SteadyhandError):
    """One of the two workspaces could not be served, so nothing was compared."""

    code, status = "arm_failed", 422


class NoSuchStable(ConfigurationError):
    """What the candidate shall be compared with is neither a folder nor a commit."""

    code, status = "no_such_stable", 404


class Arm(NamedTuple):
    """A served workspace.

    Attributes:
        port: Of its AI API.
        token: Of a key that may call the route.
    """

    port: int
    token: str


def compare(
    suite: Suite,
    stable: str,
    candidate: Path,
    seed: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Pair]:
    """Ask every case of both, so often as the suite says, in an order drawn from ``seed``.

    Args:
        suite: What to ask.
        stable: A folder, or a commit of the repository that ``candidate`` is in.
        candidate: A workspace.
        seed: Of the order: neither arm always comes first, and no case always with the same.
        progress: Is told pairs done and pairs in all.

    Raises:
        SteadyhandError: An arm cannot be had or served.
    """
    with tempfile.TemporaryDirectory(prefix="steadyhand-gate-") as folder:
        before, now = Path(folder, "stable"), Path(folder, "candidate")
        fetch(stable, candidate, before)
        _copy(candidate, now)
        with (
            serving(before, suite.route, "stable") as one,
            serving(now, suite.route, "candidate") as other,
        ):
            return _asked(suite, (one, other), Random(seed), progress)  # noqa: S311 - an order, no secret


def _asked(
    suite: Suite, arms: tuple[Arm, Arm], draw: Random, progress: Callable[[int, int], None]
) -> list[Pair]:
    wanted = [case for case in suite.cases for _ in range(suite.repeats)]
    draw.shuffle(wanted)
    orders = [draw.random() < 0.5 for _ in wanted]
    pairs = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for pair in pool.map(
            lambda each: _pair(suite, arms, *each), zip(wanted, orders, strict=True)
        ):
            pairs.append(pair)
            progress(len(pairs), len(wanted))
    return pairs


def _pair(suite: Suite, arms: tuple[Arm, Arm], case: Case, is_turned: bool) -> Pair:  # noqa: FBT001
    stable, candidate = arms
    if is_turned:
        now = ask(candidate, suite, case)
        return Pair(case, ask(stable, suite, case), now)
    return Pair(case, ask(stable, suite, case), ask(candidate, suite, case))


def ask(arm: Arm, suite: Suite, case: Case) -> Answer:
    """Ask one question of one arm; whatever goes wrong is in the answer."""
    body: dict[str, object] = {"model": suite.route, "messages": case.conversation}
    if suite.max_tokens:
        body["max_tokens"] = suite.max_tokens
    headers = {"authorization": f"Bearer {arm.token}", "content-type": "application/json"}
    began_s = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", arm.port, timeout=ANSWER_S)
    try:
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        response = connection.getresponse()
        content = response.read()
    except OSError as error:
        return Answer("", "", 0.0, 0, f"no answer: {error}")
    finally:
        connection.close()
    took_ms = (time.monotonic() - began_s) * 1_000
    rung = response.getheader("x-steadyhand-rung", "")
    return _read(response.status, content, rung, took_ms)


def _read(status: int, content: bytes, rung: str, took_ms: float) -> Answer:
    try:
        found = json.loads(content)
        if status != http.client.OK:
            return Answer("", rung, took_ms, 0, f"status {status}: {found['error']['message']}")
        text = found["choices"][0]["message"]["content"] or ""
        tokens = int((found.get("usage") or {}).get("total_tokens", 0))
    except (ValueError, KeyError, IndexError, TypeError):
        return Answer("", rung, took_ms, 0, f"status {status} without an answer")
    return Answer(text, rung, took_ms, tokens)


def fetch(stable: str, candidate: Path, into: Path) -> None:
    """Put the workspace ``stable`` into a folder.

    Raises:
        NoSuchStable: It is neither a folder nor a commit in which the workspace is.
    """
    if (Path(stable) / "steadyhand.toml").is_file():
        _copy(Path(stable), into)
        return
    top = Path(_git(candidate, "rev-parse", "--show-toplevel").decode().strip())
    prefix = _git(candidate, "rev-parse", "--show-prefix").decode().strip()
    packed = _git(top, "archive", "--format=tar", f"{stable}:{prefix}")
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        archive.extractall(into, filter="data")
    if not (into / "steadyhand.toml").is_file():
        raise NoSuchStable(
            f"{stable!r} has no workspace at {prefix or 'its top'}",
            hint="name a folder with steadyhand.toml, or a commit that has this workspace",
        )


def _git(folder: Path, *arguments: str) -> bytes:
    told = ("git", "-C", str(folder), *arguments)
    try:
        done = subprocess.run(told, capture_output=True, check=False, timeout=START_S)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoSuchStable(
            f"git cannot be asked: {error}", hint="name a folder as --stable instead"
        ) from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise NoSuchStable(
            f"no workspace {arguments[-1]!r}: {said[-1] if said else 'git failed'}",
            hint="--stable is a folder with steadyhand.toml or a commit, as origin/main; "
            "a shallow clone may lack it",
        )
    return done.stdout


def _copy(workspace: Path, into: Path) -> None:
    if not (workspace / "steadyhand.toml").is_file():
        raise ArmFailed(
            f"{workspace} is no workspace", hint="--workspace is a folder with steadyhand.toml"
        )
    shutil.copytree(workspace, into, ignore=shutil.ignore_patterns(*NOT_COPIED))


@contextmanager
def serving(workspace: Path, route: str, name: str) -> Iterator[Arm]:
    """Serve a copy of a workspace until the block ends.

    Raises:
        SteadyhandError: It has mistakes, or does not come up.
    """
    token = create_key(
        workspace, KEY, {"tenant": KEY, "channel": CHANNEL, "routes": [route], "models": []}
    )
    command = (sys.executable, "-P", "-m", "steadyhand", "serve", "--workspace", str(workspace))
    ports = ("--host", "127.0.0.1", "--port", "0", "--control-port", "0", "--processes", "1")
    process = subprocess.Popen(  # noqa: S603
        (*command, *ports),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    said: Queue[str] = Queue()
    listener = Thread(target=_listen, args=(process, said), daemon=True)
    listener.start()
    try:
        yield Arm(_port(said, name), token)
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        listener.join(STOP_S)


def _listen(process: "subprocess.Popen[str]", lines: "Queue[str]") -> None:
    """Take what a server says, to its end: it would stand still if nobody did."""
    if process.stdout is not None:
        with process.stdout as out:
            for line in out:
                lines.put(line)
    lines.put("")


def _port(lines: "Queue[str]", name: str) -> int:
    said: list[str] = []
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s:
        try:
            line = lines.get(timeout=0.5)
        except Empty:
            continue
        if not line:
            break
        said.append(line)
        found = ADDRESS.search(line)
        if found:
            return int(found[1])
    raise ArmFailed(
        f"the {name} workspace could not be served: {_last(said)}",
        hint="steadyhand validate --workspace says what is wrong",
    )


def _last(said: Sequence[str]) -> str:
    told = [line.strip() for line in said if line.strip()]
    return next((line for line in told if "error" in line), told[-1] if told else "it said nothing")
