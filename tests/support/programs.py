"""Commands of this program run as processes: started for a test, ended by their pid, bounded."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import TypeVar

SOURCE = Path(__file__).resolve().parents[2] / "src"
PATIENCE_S = 60.0
"""How long a test waits for what takes a second on an idle machine."""

PLUGINS = "STEADYHAND_TEST_PLUGINS"
"""Environment variable: further folders for the commands to find plugins in."""

T = TypeVar("T")


def eventually(
    look: Callable[[], T | None], what: str | Callable[[], str], within_s: float = PATIENCE_S
) -> T:
    """Return the first thing that ``look`` finds (neither ``None`` nor false)."""
    until_s = monotonic() + within_s
    while True:
        found = look()
        if found:
            return found
        if monotonic() > until_s:
            wanted = what if isinstance(what, str) else what()
            raise AssertionError(f"waited {within_s} s in vain for {wanted}")
        sleep(0.05)


class Program:
    """One running ``steadyhand`` command; its output goes to files.

    ``module`` is what runs it: another one of the tests may prepare the process first.
    """

    def __init__(
        self, folder: Path, name: str, *arguments: str | Path, module: str = "steadyhand"
    ) -> None:
        self._out = folder / f"{name}.out"
        self._err = folder / f"{name}.err"
        self.name = name
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=folder,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(_paths())},
            )
        self.pid = self._process.pid

    @property
    def out(self) -> str:
        """What it has printed."""
        return self._out.read_text(encoding="utf-8", errors="replace")

    @property
    def err(self) -> str:
        """What it has logged."""
        return self._err.read_text(encoding="utf-8", errors="replace")

    def says(self, pattern: str, *, after: int = 0) -> re.Match[str]:
        """Wait until its output or log matches; ``after`` leaves out so many characters of each."""

        def look() -> re.Match[str] | None:
            found = re.search(pattern, self.out[after:]) or re.search(pattern, self.err[after:])
            if found is None and self._process.poll() is not None:
                raise AssertionError(f"{self.name} ended: {self.out}{self.err}")
            return found

        return eventually(look, lambda: f"{pattern!r} from {self.name}: {self.out}{self.err}")

    def exit_code(self, within_s: float = PATIENCE_S) -> int:
        """Wait until it has ended by itself."""
        return self._process.wait(within_s)

    def signal(self, number: int) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def child(self, *, listening_on: int) -> int | None:
        """Return the child process that listens on a port."""
        return next((pid for pid in children(self.pid) if listens(pid, listening_on)), None)

    def child_beside(self, *, listening_on: int) -> int | None:
        """Return the child process that does not listen on a port."""
        return next((pid for pid in children(self.pid) if not listens(pid, listening_on)), None)

    def stop(self) -> None:
        """End it and whatever it has started, politely first."""
        family = [self.pid, *children(self.pid)]
        if self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(20)
        for pid in family:
            if is_running(pid):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(20)


def _paths() -> list[str]:
    further = os.environ.get(PLUGINS)
    return [str(SOURCE), str(SOURCE.parent), *([further] if further else [])]


@contextmanager
def running(
    folder: Path, name: str, *arguments: str | Path, module: str = "steadyhand"
) -> Iterator[Program]:
    """Run a command until the block ends."""
    program = Program(folder, name, *arguments, module=module)
    try:
        yield program
    finally:
        program.stop()


def children(pid: int) -> list[int]:
    """Return the processes that ``pid`` has started and that still run."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent = entry.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found.append(int(entry.parent.name))
    return sorted(found)


def is_running(pid: int) -> bool:
    """Tell whether ``pid`` is a process that has not ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def listens(pid: int, port: int) -> bool:
    """Tell whether process ``pid`` listens on ``port``."""
    wanted = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
            wanted.add(f"socket:[{fields[9]}]")
    with suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                if str(descriptor.readlink()) in wanted:
                    return True
    return False


def connections(port: int) -> set[int]:
    """Return the clients' ports of the connections that stand to ``port`` on loopback."""
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state = line.split()[:4]
        if state == "01" and int(remote.rpartition(":")[2], 16) == port:
            found.add(int(local.rpartition(":")[2], 16))
    return found
