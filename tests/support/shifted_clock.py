"""``python -m tests.support.shifted_clock`` is ``steadyhand`` under a wall clock that is set.

Every process that the supervisor forks reads how far off its wall clock is from the file
``$STEADYHAND_TEST_CLOCK`` at each look, so a test sets the clocks of all of them at once, while
they run. The monotonic clock is left alone, as setting the time leaves it alone; what jumps there
is a machine that stood still, which is a process stopped by a signal.
"""

import mmap
import os
import struct
import time
from pathlib import Path

from steadyhand.__main__ import main

FILE = "STEADYHAND_TEST_CLOCK"
_OFFSET = struct.Struct("q")


class Clock:
    """The wall clock of an installation, as a test sets it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.set(0)

    def set(self, offset_s: int) -> None:
        """Set it so far from the true time, seconds."""
        if self._path.exists():
            with self._path.open("r+b") as file:
                file.write(_OFFSET.pack(offset_s))
        else:
            self._path.write_bytes(_OFFSET.pack(offset_s))


def shifted(path: Path) -> None:
    """Let ``time`` read the offset from now on; call before anything else is imported."""
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), _OFFSET.size, prot=mmap.PROT_READ)
    seconds, nanoseconds = time.time, time.time_ns

    def wall_s() -> float:
        return seconds() + float(_OFFSET.unpack_from(mapped)[0])

    def wall_ns() -> int:
        return nanoseconds() + int(_OFFSET.unpack_from(mapped)[0]) * 1_000_000_000

    for name, made in (("time", wall_s), ("time_ns", wall_ns)):
        setattr(time, name, made)


if __name__ == "__main__":
    shifted(Path(os.environ[FILE]))
    main()
