"""The record log of one gateway process: the normal path of every record, not a spool.

Optimised for the event loop: ``append`` encodes one frame and puts it on a list, about a
microsecond, without a lock or a system call. A thread writes what has gathered every ``window_ms``
and syncs it (group commit); it only joins, writes and syncs, because whatever runs in it under the
interpreter's lock is time that the event loop waits.

Given up for that, and stated: durability is ``batched``. A killed process loses what was appended
in the last window and the write then in progress; a power cut no more than that. A disk that is
full or does not answer never stops the gateway: records wait in memory up to
``max_pending_bytes``, the directory grows to ``max_bytes``, and past either bound new records are
dropped and counted (``dropped``), oldest kept. Sequences have no gaps: a dropped record takes none.
"""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from threading import Event, Thread
from zlib import crc32

import msgspec

from steadyhand.records.clock import wall_clock_us
from steadyhand.records.frame import HEAD_BYTES, MAX_PAYLOAD, pack_head
from steadyhand.records.record import Record
from steadyhand.records.segment import writer_id
from steadyhand.records.writer import SegmentWriter

logger = logging.getLogger(__name__)

_CHUNK_FRAMES = 4096  # of one write: about a megabyte, joined in well under a millisecond
_ENCODING_ERRORS = (msgspec.MsgspecError, TypeError, ValueError, OverflowError)


@dataclass(frozen=True, slots=True)
class LogSettings:
    """Bounds of a record log.

    Attributes:
        window_ms: Time between two group commits: what a crash may lose.
        segment_bytes: A segment is closed once it is this long ...
        segment_age_s: ... or this old, so that it can soon be shipped whole and deleted.
        max_bytes: Most bytes of one writer on disk; what was shipped no longer counts.
        max_pending_bytes: Most bytes waiting in memory, as when the disk stalls.
    """

    window_ms: int = 100
    segment_bytes: int = 8 * 1024 * 1024
    segment_age_s: float = 2.0
    max_bytes: int = 1024 * 1024 * 1024
    max_pending_bytes: int = 64 * 1024 * 1024


class RecordLog:
    """Appends records to this process's own directory under the log.

    Made once per process, after any fork. ``append`` is for one thread; the counters may be read
    from any, each has one writer and only grows.

    Attributes:
        writer: This writer's id, which is also the name of its directory.
        appended: Records accepted.
        flushed: Records synced to disk.
        dropped: Records refused at a bound.
        unencodable: Records that could not be written as a frame; a bug, but not the request's.
        flush_failures: Group commits that failed and will be tried again.
        last_flush_us: Wall clock when nothing was left to write, microseconds since 1970.
    """

    def __init__(
        self,
        directory: Path,
        settings: LogSettings,
        *,
        clock_us: Callable[[], int] = wall_clock_us,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start the flusher. Only it touches the disk, so a full one stops nothing here."""
        self.writer = writer_id(clock_us(), os.getpid(), SystemRandom().getrandbits)
        self.appended = 0
        self.flushed = 0
        self.dropped = 0
        self.unencodable = 0
        self.flush_failures = 0
        self.last_flush_us = clock_us()
        self._settings = settings
        self._clock_us = clock_us
        self._encode = msgspec.msgpack.Encoder().encode
        self._pending: list[bytes] = []
        self._accepted_bytes = 0
        self._flushed_bytes = 0
        self._allowed_bytes = min(settings.max_pending_bytes, settings.max_bytes)
        self._chunk = b""
        self._chunk_frames = 0
        self._is_failing = False
        self._segments = SegmentWriter(
            directory,
            self.writer,
            segment_bytes=settings.segment_bytes,
            segment_age_s=settings.segment_age_s,
            clock_s=clock_s,
        )
        self._closing = Event()
        self._thread = Thread(target=self._run, name="record-log", daemon=True)
        self._thread.start()

    @property
    def pending_bytes(self) -> int:
        """Bytes accepted and not yet synced."""
        return self._accepted_bytes - self._flushed_bytes

    def append(self, record: Record) -> None:
        """Accept a record, or drop and count it at a bound. Never blocks, never raises."""
        if self._accepted_bytes >= self._allowed_bytes:
            self.dropped += 1
            return
        try:
            payload = self._encode(record)
        except _ENCODING_ERRORS:
            self.unencodable += 1
            return
        length = len(payload)
        if length > MAX_PAYLOAD:
            self.unencodable += 1
            return
        sequence = self.appended + 1
        # frame.pack, written out: a call costs a tenth of the whole append
        crc = crc32(payload, (sequence ^ sequence >> 32) & 0xFFFFFFFF)
        self._pending.append(pack_head(length, crc, sequence) + payload)
        self._accepted_bytes += length + HEAD_BYTES
        self.appended = sequence

    def close(self, timeout_s: float = 5.0) -> int:
        """Flush what is left, stop the flusher, and return how many records were not flushed.

        Waits at most ``timeout_s`` for a disk that does not answer. Nothing may be appended after.
        """
        self._closing.set()
        self._thread.join(timeout_s)
        return self.appended - self.flushed

    def _run(self) -> None:
        window_s = self._settings.window_ms / 1000
        while not self._closing.wait(window_s):
            self._flush()
        self._flush()
        self._segments.close()

    def _flush(self) -> None:
        try:
            while self._chunk or self._take():
                self._segments.append(self._chunk, self.flushed + 1)
                self.flushed += self._chunk_frames
                self._flushed_bytes += len(self._chunk)
                self._chunk = b""
            self._segments.roll_if_due(self.flushed + 1)
        except OSError as error:
            self.flush_failures += 1
            if not self._is_failing:
                logger.warning("record log cannot write, records wait in memory: %s", error)
            self._is_failing = True
        else:
            self.last_flush_us = self._clock_us()
            if self._is_failing:
                logger.warning("record log writes again; %d records dropped so far", self.dropped)
            self._is_failing = False
        room = self._settings.max_bytes - self._segments.stored_bytes()
        self._allowed_bytes = self._flushed_bytes + min(self._settings.max_pending_bytes, room)

    def _take(self) -> bool:
        """Move what waits into the chunk to write.

        Copying and deleting a slice are each one step under the interpreter's lock, and ``append``
        only ever adds behind it: no record is missed and none is seen twice.
        """
        frames = self._pending[:_CHUNK_FRAMES]
        del self._pending[: len(frames)]
        self._chunk_frames = len(frames)
        self._chunk = b"".join(frames)
        return bool(frames)
