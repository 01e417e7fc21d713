"""Segments on disk: their names, and the one file a writer appends to.

A writer's directory holds ``lock`` (an flock held for the writer's life) and numbered segments.
Only the writer appends, only the shipper deletes, and a segment with a successor never changes.
"""

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from steadyhand.core.ids import base32
from steadyhand.records.frame import HEADER_BYTES, pack_header

LOCK = "lock"
SUFFIX = ".seg"
SET_ASIDE = "corrupt"
"""Folder beside the writers, where damaged segments are kept for a person to look at."""


def writer_id(now_us: int, pid: int, random_bits: Callable[[int], int]) -> str:
    """Name a writer: sorts by start time, unique by pid and 40 random bits."""
    return f"{base32(now_us, 11)}-{base32(pid, 5)}-{base32(random_bits(40), 8)}"


def segment_path(directory: Path, number: int) -> Path:
    """Return where segment ``number`` of a writer's directory is."""
    return directory / f"{number:08d}{SUFFIX}"


def segment_numbers(directory: Path) -> list[int]:
    """List a writer's segments, oldest first; empty if the directory is gone."""
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return []
    return sorted(int(name[: -len(SUFFIX)]) for name in names if name.endswith(SUFFIX))


def writers(log: Path) -> list[str]:
    """List the writers of a log, oldest first."""
    try:
        entries = list(os.scandir(log))
    except FileNotFoundError:
        return []
    return sorted(
        entry.name
        for entry in entries
        if entry.is_dir() and not entry.name.startswith(".") and entry.name != SET_ASIDE
    )


def is_alive(directory: Path) -> bool:
    """Tell whether a writer's process still holds its lock."""
    try:
        descriptor = os.open(directory / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def claim(log: Path, writer: str) -> int:
    """Make a writer's directory, already locked when it appears; return the lock's descriptor.

    Raises:
        OSError: The directory cannot be made; nothing is held.
    """
    log.mkdir(mode=0o700, parents=True, exist_ok=True)
    hidden = log / f".new-{writer}"
    hidden.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(hidden / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        hidden.rename(log / writer)
        sync_directory(log)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def sync_directory(directory: Path) -> None:
    """Make the names in ``directory`` survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class SegmentFile:
    """The segment being written.

    With a ``reserve`` its blocks are there from the start, as zeros. A sync then changes no
    metadata and needs no commit of the file system's journal, which is most of what it costs. What
    is left of the reserve is given back by ``close``; after a crash it stays, and readers know it
    for unused because no frame begins with a zero.

    Attributes:
        size: Bytes known to be on disk, header included.
        reserved: Bytes whose blocks were made beforehand, 0 without a reserve.
        is_sound: Whether more may be appended. After a failed sync the kernel may have forgotten
            which pages were dirty, so the file is not trusted again.
    """

    def __init__(self, path: Path, writer: str, first_sequence: int, reserve: int = 0) -> None:
        """Create the file with its header.

        Raises:
            OSError: It could not be made; no file is left.
        """
        self.path = path
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)
        self.size = 0
        self.reserved = 0
        self.is_sound = True
        try:
            if reserve:
                self._write(bytes(reserve), 0)
            self.append(pack_header(writer, first_sequence))
            sync_directory(path.parent)
            self.reserved = reserve
        except OSError:
            self.size = 0
            self.close()
            raise

    def fits(self, size: int) -> bool:
        """Tell whether ``size`` more bytes find their blocks made, if any were."""
        return not self.reserved or self.size + size <= self.reserved

    def append(self, chunk: bytes) -> None:
        """Write whole frames and sync them: all of them or, in the end, none.

        Raises:
            OSError: Nothing of ``chunk`` counts as written; it may be given again, here if
                ``is_sound``, or else to the next segment. A reader may have seen part of it, which
                is why frames carry sequences.
        """
        try:
            self._write(chunk, self.size)
        except OSError:
            self._cut()
            raise
        try:
            os.fdatasync(self._descriptor)
        except OSError:
            self._cut()
            self.is_sound = False
            raise
        self.size += len(chunk)

    def close(self) -> None:
        """Close the file without what it did not use, and remove it if it holds no frame."""
        with suppress(OSError):
            if self.size < self.reserved:
                os.ftruncate(self._descriptor, self.size)
        with suppress(OSError):
            os.close(self._descriptor)
        if self.size <= HEADER_BYTES:
            with suppress(OSError):
                self.path.unlink()

    def _write(self, data: bytes, offset: int) -> None:
        rest = memoryview(data)
        while rest:
            count = os.pwrite(self._descriptor, rest, offset)
            rest, offset = rest[count:], offset + count

    def _cut(self) -> None:
        try:
            os.ftruncate(self._descriptor, self.size)
            self.reserved = 0
        except OSError:
            self.is_sound = False  # the torn tail stays; a reader stops there, once there is a next
