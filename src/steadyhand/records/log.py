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

Whoever must know that a record is on disk (:mod:`steadyhand.records.commit`) calls ``hurry``: the
thread then syncs at once, or as soon as the sync before has ended, whatever has gathered by then.
"""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from pathlib import Path
from random import SystemRandom
from threading import Event, Thread
from zlib import crc32

import msgspec

from steadyhand.records.annotation import Annotation
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
        reserve_bytes: Written as zeros into each new segment, so that syncs are cheaper; 0 for
            none, which suits a log that is synced seldom.
    """

    window_ms: int = 100
    segment_bytes: int = 8 * 1024 * 1024
    segment_age_s: float = 2.0
    max_bytes: int = 1024 * 1024 * 1024
    max_pending_bytes: int = 64 * 1024 * 1024
    reserve_bytes: int = 0


class RecordLog:
    """Appends records to this process's own directory under the log.

    Made once per process, after any fork. ``append`` is for one thread; the counters may be read
    from any, each has one writer and only grows.

    Attributes:
        writer: This writer's id, which is also the name of its directory.
        appended: Records and annotations accepted.
        annotated: Of them, annotations.
        flushed: Records and annotations synced to disk.
        dropped: Those refused at a bound.
        unencodable: Those that could not be written as a frame; a bug, but not the request's.
        flush_failures: Group commits that failed and will be tried again.
        last_flush_us: Wall clock when nothing was left to write, microseconds since 1970.
        syncs: Group commits that succeeded.
        sync_total_us: Time that they took, writing included.
        sync_last_us: Of it, the last one.
        sync_longest_us: Of it, the longest.
        sync_began_s: ``clock_s`` at which the group commit under way began, 0 if there is none.
        is_failing: The last group commit failed, and so did the attempt to repeat it at once.
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
        self.appended = self.annotated = 0
        self.flushed = 0
        self.dropped = 0
        self.unencodable = 0
        self.flush_failures = 0
        self.last_flush_us = clock_us()
        self.syncs = self.sync_total_us = self.sync_last_us = self.sync_longest_us = 0
        self.sync_began_s = 0.0
        self.is_failing = False
        self.clock_s = clock_s
        self._settings = settings
        self._clock_us = clock_us
        self._encode = msgspec.msgpack.Encoder().encode
        self._pending: list[bytes] = []
        self._accepted_bytes = 0
        self._flushed_bytes = 0
        self._allowed_bytes = min(settings.max_pending_bytes, settings.max_bytes)
        self._chunk = b""
        self._chunk_frames = 0
        self._room = settings.max_bytes
        self._room_known_s = -inf
        self._listener: Callable[[], None] | None = None
        self._segments = SegmentWriter(
            directory,
            self.writer,
            segment_bytes=settings.segment_bytes,
            segment_age_s=settings.segment_age_s,
            clock_s=clock_s,
            reserve_bytes=settings.reserve_bytes,
        )
        self._is_closing = False
        self._wake = Event()
        self._thread = Thread(target=self._run, name="record-log", daemon=True)
        self._thread.start()

    @property
    def pending_bytes(self) -> int:
        """Bytes accepted and not yet synced."""
        return self._accepted_bytes - self._flushed_bytes

    @property
    def is_full(self) -> bool:
        """Whether a record would be dropped now."""
        return self._accepted_bytes >= self._allowed_bytes

    def annotate(self, annotation: Annotation) -> None:
        """Accept what became known of a request after its record; never waited for.

        Dropped and counted at a bound, like a record. Never blocks, never raises.
        """
        if self.append(annotation):
            self.annotated += 1

    def append(self, record: Record | Annotation) -> int:
        """Accept a record, or drop and count it at a bound. Never blocks, never raises.

        Returns:
            Its sequence, or 0 if it was not accepted.
        """
        if self._accepted_bytes >= self._allowed_bytes:
            self.dropped += 1
            return 0
        try:
            payload = self._encode(record)
        except _ENCODING_ERRORS:
            self.unencodable += 1
            return 0
        length = len(payload)
        if length > MAX_PAYLOAD:
            self.unencodable += 1
            return 0
        sequence = self.appended + 1
        # frame.pack, written out: a call costs a tenth of the whole append
        crc = crc32(payload, (sequence ^ sequence >> 32) & 0xFFFFFFFF)
        self._pending.append(pack_head(length, crc, sequence) + payload)
        self._accepted_bytes += length + HEAD_BYTES
        self.appended = sequence
        return sequence

    def listen(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called, in the flusher's thread, after each commit and each failure."""
        self._listener = listener

    def hurry(self) -> None:
        """Have what was appended synced now; while the disk fails, at the window's pace."""
        if not self.is_failing:
            self._wake.set()

    def stalled_s(self) -> float:
        """Return for how many seconds the group commit under way has been going on."""
        began_s = self.sync_began_s
        return self.clock_s() - began_s if began_s else 0.0

    def close(self, timeout_s: float = 5.0) -> int:
        """Flush what is left, stop the flusher, and return how many records were not flushed.

        Waits at most ``timeout_s`` for a disk that does not answer. Nothing may be appended after.
        """
        self._is_closing = True
        self._wake.set()
        self._thread.join(timeout_s)
        return self.appended - self.flushed

    def _run(self) -> None:
        window_s = self._settings.window_ms / 1000
        while not self._is_closing:
            self._wake.wait(window_s)
            self._wake.clear()
            self._flush()
        self._flush()
        self._segments.close()

    def _flush(self) -> None:
        try:
            try:
                self._write_all()
            except OSError:
                self.flush_failures += 1
                self._write_all()  # a failed sync is mended by the next segment, a full disk not
        except OSError as error:
            self.flush_failures += 1
            if not self.is_failing:
                logger.warning("record log cannot write, records wait in memory: %s", error)
            self.is_failing = True
            self._tell()
        else:
            self.last_flush_us = self._clock_us()
            if self.is_failing:
                logger.warning("record log writes again; %d records dropped so far", self.dropped)
            self.is_failing = False
        finally:
            self.sync_began_s = 0.0
        self._allow()

    def _write_all(self) -> None:
        while self._chunk or self._take():
            self.sync_began_s = began_s = self.clock_s()
            self._segments.append(self._chunk, self.flushed + 1)
            self._flushed_bytes += len(self._chunk)
            self._chunk = b""
            self.flushed += self._chunk_frames
            self._count(int((self.clock_s() - began_s) * 1e6))
            self._tell()
        self._segments.roll_if_due(self.flushed + 1)

    def _tell(self) -> None:
        if self._listener is not None:
            self._listener()

    def _count(self, took_us: int) -> None:
        self.syncs += 1
        self.sync_total_us += took_us
        self.sync_last_us = took_us
        self.sync_longest_us = max(self.sync_longest_us, took_us)

    def _allow(self) -> None:
        """Renew the bound; the directory is looked at once in a window, not at each commit."""
        now_s = self.clock_s()
        if now_s - self._room_known_s >= self._settings.window_ms / 1000:
            self._room_known_s = now_s
            self._room = self._settings.max_bytes - self._segments.stored_bytes()
        room = min(self._settings.max_pending_bytes, self._room)
        self._allowed_bytes = self._flushed_bytes + room

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
