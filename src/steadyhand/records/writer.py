"""One writer's side of its directory: opens it, rolls segments, knows how much it holds."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from steadyhand.records.frame import HEADER_BYTES
from steadyhand.records.segment import SegmentFile, claim, segment_numbers, segment_path


class SegmentWriter:
    """Appends chunks of whole frames to numbered segments. For one thread; every call may block.

    Nothing is touched before the first ``append``, and a failed call may be repeated: it goes on
    from where the disk is known to be.
    """

    def __init__(
        self,
        log: Path,
        writer: str,
        *,
        segment_bytes: int,
        segment_age_s: float,
        clock_s: Callable[[], float],
        reserve_bytes: int = 0,
    ) -> None:
        """Take the log's directory, the writer's id and when to roll.

        ``clock_s`` is monotonic; ``reserve_bytes`` is written as zeros into each new segment.
        """
        self._log = log
        self._writer = writer
        self._directory = log / writer
        self._segment_bytes = segment_bytes
        self._segment_age_s = segment_age_s
        self._clock_s = clock_s
        self._reserve_bytes = reserve_bytes
        self._lock = -1
        self._segment: SegmentFile | None = None
        self._opened_s = 0.0
        self._number = 0
        self._closed: dict[int, int] = {}

    def append(self, chunk: bytes, first_sequence: int) -> None:
        """Write and sync ``chunk``, whose first frame is ``first_sequence``.

        Raises:
            OSError: None of it counts as written; call again with the same chunk.
        """
        self._writable(first_sequence, len(chunk)).append(chunk)

    def roll_if_due(self, next_sequence: int) -> None:
        """Close a segment that is long or old, so that the shipper may delete it.

        Raises:
            OSError: The next segment could not be made; ``append`` will try again.
        """
        segment = self._segment
        if segment is not None and segment.size > HEADER_BYTES and self._is_due(segment):
            self._open_next(next_sequence)

    def stored_bytes(self) -> int:
        """Return how many bytes are on disk and not yet shipped and deleted, as far as known."""
        if self._closed:
            with suppress(OSError):  # cannot be listed now: what was there counts as there
                present = set(segment_numbers(self._directory))
                self._closed = {n: size for n, size in self._closed.items() if n in present}
        current = self._segment.size if self._segment is not None else 0
        return current + sum(self._closed.values())

    def close(self) -> None:
        """Close the segment and give up the lock: the writer is dead from here on."""
        self._close_segment()
        if self._lock >= 0:
            with suppress(OSError):
                os.close(self._lock)
            self._lock = -1

    def _writable(self, first_sequence: int, size: int) -> SegmentFile:
        segment = self._segment
        if segment is None or self._is_due(segment) or not self._has_room(segment, size):
            return self._open_next(first_sequence)
        return segment

    def _is_due(self, segment: SegmentFile) -> bool:
        if not segment.is_sound or segment.size >= self._segment_bytes:
            return True
        is_old = self._clock_s() - self._opened_s >= self._segment_age_s
        return is_old and segment.size > HEADER_BYTES

    def _has_room(self, segment: SegmentFile, size: int) -> bool:
        return segment.fits(size) or segment.size <= HEADER_BYTES

    def _open_next(self, first_sequence: int) -> SegmentFile:
        if self._lock < 0:
            self._lock = claim(self._log, self._writer)
        self._close_segment()
        self._number += 1
        path = segment_path(self._directory, self._number)
        self._segment = SegmentFile(path, self._writer, first_sequence, self._reserve_bytes)
        self._opened_s = self._clock_s()
        return self._segment

    def _close_segment(self) -> None:
        if self._segment is not None:
            self._segment.close()
            if self._segment.size > HEADER_BYTES:
                self._closed[self._number] = self._segment.size
            self._segment = None
