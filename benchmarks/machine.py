"""What Linux tells about processes and cores: CPU time, memory, and who else is busy."""

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Cores:
    """The two cores of a run.

    Attributes:
        gateway: Has the whole process tree of the target.
        load: Has the mock upstream, the load generator and the script itself.
    """

    gateway: int
    load: int


def usable_cores() -> list[int]:
    """Return the cores that this process may run on, in order."""
    return sorted(os.sched_getaffinity(0))


def process_tree(root: int) -> list[int]:
    """Return ``root`` and everything below it; empty if it is gone."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            fields = _read(entry / "stat").rpartition(") ")[2].split()
            if fields:
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], [root] if (_PROC / str(root)).exists() else []
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found


def cpu_ns(pids: Iterable[int]) -> dict[int, int]:
    """Return process → nanoseconds on a CPU so far, of all its threads.

    From ``schedstat``, which counts nanoseconds where ``stat`` counts ticks of 10 ms. The time of a
    thread that has ended is lost.
    """
    spent = {}
    for pid in pids:
        try:
            threads = list((_PROC / str(pid) / "task").iterdir())
        except OSError:
            continue
        spent[pid] = sum(int((_read(each / "schedstat") or "0").split()[0]) for each in threads)
    return spent


def resident_mb(pid: int) -> float:
    """Return resident memory in units of 1,000,000 bytes, shared pages included; 0 if gone."""
    fields = _read(_PROC / str(pid) / "statm").split()
    return int(fields[1]) * _PAGE_BYTES / 1e6 if fields else 0.0


def process_title(pid: int) -> str:
    """Return the last words of a command line, without the folders in it."""
    words = _read(_PROC / str(pid) / "cmdline").split("\0")
    return " ".join(word.rpartition("/")[2] for word in words if word)[:80]


def core_busy_s(core: int) -> float:
    """Return seconds that ``core`` was not idle since boot, taken by other machines included."""
    for line in _read(_PROC / "stat").splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _waiting, irq, softirq, stolen = map(int, ticks[:8])
            return (user + nice + system + irq + softirq + stolen) / _TICKS_PER_S
    raise LookupError(f"this machine has no core {core}")


def describe() -> dict[str, str | int]:
    """Return what a reader of results must know of this machine."""
    models = [
        line.partition(":")[2].strip()
        for line in _read(_PROC / "cpuinfo").splitlines()
        if line.startswith("model name")
    ]
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": os.cpu_count() or 0,
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def _read(path: Path) -> str:
    """Return the text of a file of ``/proc``, or nothing if its process has ended."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
