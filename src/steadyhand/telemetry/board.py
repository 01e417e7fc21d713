"""A board of numbers that one gateway process writes and others read: a file of int64, mapped.

A gateway publishes a few times a second and never waits; a reader sees each number whole (an
aligned 8-byte store), but not all of one moment. The last values of a killed process stay, and
are known to be old by its pid and its heartbeat.
"""

import mmap
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from steadyhand.telemetry.names import SLOTS, Slot

FRESH_US = 5_000_000
"""A heartbeat older than this is that of a process that hangs or is gone."""

_HEAD = 3  # layout, pid, heartbeat


def _layout(names: Sequence[Slot]) -> int:
    return crc32(",".join(slot.name for slot in names).encode())


def _bytes(names: Sequence[Slot]) -> int:
    return 8 * (_HEAD + len(names))


class Board:
    """The writing side; one per gateway process, and one per model on this machine."""

    def __init__(
        self, slots: memoryview, names: Sequence[Slot], clock_us: Callable[[], int]
    ) -> None:
        """Use :meth:`create`."""
        self._slots = slots
        self._index = {slot.name: _HEAD + index for index, slot in enumerate(names)}
        self._clock_us = clock_us

    @classmethod
    def create(
        cls, path: Path, clock_us: Callable[[], int], names: Sequence[Slot] = SLOTS
    ) -> "Board":
        """Make the board of this process, in place of the one its predecessor left.

        Raises:
            OSError: The file cannot be made.
        """
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        with draft.open("w+b") as file:
            file.truncate(_bytes(names))
            slots = memoryview(mmap.mmap(file.fileno(), _bytes(names))).cast("q")
        slots[0], slots[1], slots[2] = _layout(names), os.getpid(), clock_us()
        draft.replace(path)  # a reader sees the old board or this one, whole
        return cls(slots, names, clock_us)

    def publish(self, values: Mapping[str, int]) -> None:
        """Set slots by name; others stay.

        Raises:
            KeyError: There is no such slot.
        """
        for name, value in values.items():
            self._slots[self._index[name]] = value
        self._slots[2] = self._clock_us()


@dataclass(frozen=True, slots=True)
class BoardReading:
    """What a board said.

    Attributes:
        pid: Of the process that wrote it.
        heartbeat_us: When it last published.
        values: By slot name.
    """

    pid: int
    heartbeat_us: int
    values: Mapping[str, int]

    def is_up(self, now_us: int) -> bool:
        """Tell whether the process is there and published lately."""
        if now_us - self.heartbeat_us > FRESH_US:
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


def read_board(path: Path, names: Sequence[Slot] = SLOTS) -> BoardReading | None:
    """Read a board; ``None`` if it is gone, or written by a version with other slots."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        size = _bytes(names)
        if os.fstat(file.fileno()).st_size != size:
            return None
        with (
            mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ) as mapped,
            memoryview(mapped) as raw,
            raw.cast("q") as slots,
        ):
            layout, pid, heartbeat_us, *values = slots.tolist()
        if layout == _layout(names):
            found = dict(zip((slot.name for slot in names), values, strict=True))
            return BoardReading(pid, heartbeat_us, found)
    return None
