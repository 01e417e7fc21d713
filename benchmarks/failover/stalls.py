"""Mark when a core stood still, so that what the machine did is not charged to a gateway.

``python -m benchmarks.failover.stalls CORE FILE`` wakes each millisecond on ``CORE``, above every
other priority if it may (``SCHED_FIFO``, else a nice of -20), so that what runs on that core does
not delay it, and appends an interval to ``FILE`` whenever it woke more than :data:`LATE_NS` late.
It ends when its input does.

Without the right to that priority nothing is marked: a busy gateway would then look like a stall.
"""

import os
import select
import sys
import time
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from pathlib import Path

PERIOD_NS = 1_000_000
LATE_NS = 4_000_000
_PRIORITY = 50


class Stalls:
    """Intervals of monotonic nanoseconds in which a core stood still."""

    def __init__(self, intervals: Iterable[tuple[int, int]]) -> None:
        """Take intervals that do not overlap."""
        self._intervals: Sequence[tuple[int, int]] = sorted(intervals)
        self._ends = [end for _, end in self._intervals]

    def within_us(self, begin_ns: int, end_ns: int) -> int:
        """Return how many microseconds between the two were stalls."""
        total_ns = 0
        for begin, end in self._intervals[bisect_right(self._ends, begin_ns) :]:
            if begin >= end_ns:
                break
            total_ns += min(end, end_ns) - max(begin, begin_ns)
        return total_ns // 1000

    def total_ms(self) -> float:
        """Return the sum of all."""
        return sum(end - begin for begin, end in self._intervals) / 1e6

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._intervals)


def merged(*found: Iterable[tuple[int, int]]) -> Stalls:
    """Return the stalls of several cores as one: it does not matter which one stood still."""
    joined: list[tuple[int, int]] = []
    for begin, end in sorted(interval for each in found for interval in each):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return Stalls(joined)


def read(file: Path) -> list[tuple[int, int]]:
    """Return the intervals of a file."""
    lines = file.read_text(encoding="ascii").splitlines() if file.exists() else []
    pairs = [line.split() for line in lines]
    return [(int(pair[0]), int(pair[1])) for pair in pairs if len(pair) == 2]


def raise_priority() -> bool:
    """Go before everything else on this core; return whether that was allowed."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_PRIORITY))
    except OSError:
        try:
            os.setpriority(os.PRIO_PROCESS, 0, -20)
        except OSError:
            return False
    return True


def main() -> None:
    """Run until the input ends."""
    core, file = int(sys.argv[1]), Path(sys.argv[2])
    os.sched_setaffinity(0, {core})
    if not raise_priority():
        sys.stdin.read()
        return
    with file.open("a", encoding="ascii", buffering=1) as out:
        due_ns = time.monotonic_ns() + PERIOD_NS
        while not select.select([sys.stdin], [], [], 0)[0]:
            time.sleep(max(0, due_ns - time.monotonic_ns()) / 1e9)
            now_ns = time.monotonic_ns()
            if now_ns - due_ns > LATE_NS:
                out.write(f"{due_ns} {now_ns}\n")
            due_ns = max(due_ns + PERIOD_NS, now_ns)


if __name__ == "__main__":
    main()
