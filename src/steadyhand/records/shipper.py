"""Carries every writer's log into the store, then to the consumers, then deletes it.

The order is what makes it safe to be killed anywhere: rows and cursor are committed together, the
consumers are called after that, and only then is anything deleted. A second shipper on the same
log does no harm, only work. While the store fails, the log stays and grows to its own bound. After
each failure the store is prepared again and asked where it stands: it may be another one now.

When a writer has ended, what it began and did not finish is settled: its intents become records.

Consumers hold their state in this process, so being called once per process and record is exactly
once for them; one that raises has lost that batch, which is counted.
"""

import logging
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event

from steadyhand.core.errors import SteadyhandError
from steadyhand.records.annotation import Annotation, body_of
from steadyhand.records.clock import wall_clock_us
from steadyhand.records.cursor import START, Cursor
from steadyhand.records.frame import HEADER_BYTES
from steadyhand.records.reader import Reading, read
from steadyhand.records.record import Record
from steadyhand.records.segment import (
    LOCK,
    SET_ASIDE,
    segment_numbers,
    segment_path,
    writers,
)
from steadyhand.records.store import DatabaseBehind, RecordStore, Shipment
from steadyhand.storage.database import DatabaseReplaced

logger = logging.getLogger(__name__)

Consumer = Callable[[Sequence[Record]], None]
"""Takes records once they are stored, in the order of each writer."""

AnnotationConsumer = Callable[[Sequence[Annotation]], None]
"""Takes annotations of a kind known here, after the records of their batch."""

BATCH = 2_000
IDLE_S = 0.5
"""Time between passes that found little. A pass has a fixed cost (a transaction, a sync) that
answers on the same core have to wait for: at 500 requests a second, five passes a second put their
99th percentile at 2.1 ms, two at 1.5, one at 1.4, none at 1.1 (medians of three)."""
LONGEST_PAUSE_S = 5.0


@dataclass(slots=True)
class ShipperStatus:
    """Totals since start, and how far behind the shipper is; read it, do not keep it.

    Attributes:
        shipped: Records stored.
        annotations: Annotations stored.
        unknown_annotations: Of them, those of a kind or shape unknown here: kept, not consumed.
        failures: Passes in which the store or the disk failed and a writer had to wait.
        consumer_failures: Batches that a consumer refused.
        torn_segments: Segments that ended inside a frame.
        corrupt_segments: Segments set aside because their rest made no sense.
        missing_records: Sequences that were written and could not be read.
        undecodable_records: Sound frames of a shape unknown here, set aside.
        interrupted_records: Records that were intents.
        superseded_entries: Entries that a later one took the place of.
        skipped_bytes: Bytes of corrupt segments that were passed over.
        database_replaced: Times the database turned out to be another one.
        writers: Writers with a directory.
        waiting_bytes: Bytes in the log and not yet stored, at the last pass.
        oldest_us: When the oldest record known to wait was received; 0 if none waits.
        last_success_us: When the last pass ended that left no writer behind.
    """

    shipped: int = 0
    annotations: int = 0
    unknown_annotations: int = 0
    failures: int = 0
    consumer_failures: int = 0
    torn_segments: int = 0
    corrupt_segments: int = 0
    missing_records: int = 0
    undecodable_records: int = 0
    interrupted_records: int = 0
    superseded_entries: int = 0
    skipped_bytes: int = 0
    database_replaced: int = 0
    writers: int = 0
    waiting_bytes: int = 0
    oldest_us: int = 0
    last_success_us: int = 0


class Shipper:
    """Ships one log directory. ``ship_once`` and ``run`` belong to one thread."""

    def __init__(
        self,
        log: Path,
        store: RecordStore,
        consumers: Sequence[Consumer] = (),
        *,
        annotation_consumers: Sequence[AnnotationConsumer] = (),
        batch: int = BATCH,
        prepare: Callable[[], object] = lambda: None,
        clock_us: Callable[[], int] = wall_clock_us,
    ) -> None:
        """Take the log's directory, where to, and who is told; nothing is read yet.

        ``batch`` is the most entries of one transaction; ``prepare`` brings the store's schema up
        to date and is called after each failure.
        """
        self.status = ShipperStatus()
        self._log = log
        self._store = store
        self._consumers = tuple(consumers)
        self._annotation_consumers = tuple(annotation_consumers)
        self._batch = batch
        self._prepare = prepare
        self._clock_us = clock_us
        self._is_sure = False
        self._cursors: dict[str, Cursor] = {}
        self._oldest_us: dict[str, int] = {}

    def run(self, stop: Event) -> None:
        """Ship until ``stop`` is set, backing off while the store fails; then a last pass."""
        pause_s = IDLE_S
        while not stop.is_set():
            failures = self.status.failures
            shipped = self.ship_once()
            if self.status.failures > failures:
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            else:
                pause_s = IDLE_S
            if not shipped or pause_s > IDLE_S:
                stop.wait(pause_s)
        self.ship_once()

    def ship_once(self) -> int:
        """Ship at most one batch of each writer, the oldest first; return how many records.

        Never raises: a store or a disk that fails is counted, and that writer waits.
        """
        status = self.status
        try:
            found = writers(self._log)
        except OSError as error:
            status.failures += 1
            logger.warning("the record log cannot be read: %s", error)
            return 0
        shipped, failures = 0, status.failures
        if self._is_sure or self._try("all writers", lambda: self._make_sure(found)) is not None:
            for writer in found:
                shipped += self._try(writer, partial(self._ship_writer, writer)) or 0
        for gone in self._oldest_us.keys() - set(found):
            del self._oldest_us[gone]
            self._cursors.pop(gone, None)
        status.writers = len(found)
        status.waiting_bytes = sum(map(self._waiting_bytes, found))
        status.oldest_us = min((us for us in self._oldest_us.values() if us), default=0)
        if status.failures == failures:
            status.last_success_us = self._clock_us()
        return shipped

    def _try(self, whose: str, act: Callable[[], int]) -> int | None:
        """Return what ``act`` does; count and say that it could not, and be sure of nothing."""
        try:
            return act()
        except (DatabaseReplaced, DatabaseBehind) as error:
            self.status.database_replaced += 1
            self._fail(whose, error)
        except (SteadyhandError, OSError) as error:
            self._fail(whose, error)
        except Exception:
            self.status.failures += 1
            self._is_sure = False
            logger.exception("records of writer %s wait", whose)
        return None

    def _fail(self, whose: str, error: Exception) -> None:
        self.status.failures += 1
        self._is_sure = False
        logger.warning("records of writer %s wait: %s", whose, error)

    def _make_sure(self, found: Sequence[str]) -> int:
        """Begin again with what the store knows, and settle writers whose folder is gone."""
        self._prepare()
        self._cursors.clear()
        for writer in self._store.unsettled():
            if writer not in found:
                self._take(self._store.settle(writer))
        self._is_sure = True
        return 0

    def _ship_writer(self, writer: str) -> int:
        cursor = self._cursors.get(writer)
        if cursor is None:
            cursor = self._cursors[writer] = self._store.cursor(writer)
        reading = read(self._log / writer, cursor, self._batch)
        entries, notes = reading.entries, reading.notes
        self._oldest_us[writer] = entries[0].record.received_us if entries else 0
        set_aside = self._set_aside(writer, reading)
        shipped = 0
        if entries or notes or reading.undecodable:
            shipment = self._store.ship(
                writer, entries, reading.cursor, notes=notes, after=cursor.sequence
            )
            shipped = self._take(shipment)
        self._cursors[writer] = reading.cursor
        self._count(reading, set_aside)
        is_full = len(entries) + len(notes) == self._batch  # there may be more
        self._oldest_us[writer] = entries[-1].record.received_us if is_full and entries else 0
        if reading.ended:
            shipped += self._take(self._store.settle(writer))
        self._discard(writer, reading)
        return shipped

    def _take(self, shipment: Shipment) -> int:
        """Count and pass on what was stored."""
        status, fresh = self.status, shipment.records
        status.shipped += len(fresh)
        status.interrupted_records += shipment.interrupted
        status.superseded_entries += shipment.superseded
        if fresh:
            self._tell([partial(consume, fresh) for consume in self._consumers])
        known = [note for note in shipment.annotations if body_of(note) is not None]
        status.annotations += len(shipment.annotations)
        status.unknown_annotations += len(shipment.annotations) - len(known)
        if known:
            self._tell([partial(consume, known) for consume in self._annotation_consumers])
        return len(fresh)

    def _count(self, reading: Reading, set_aside: int) -> None:
        status = self.status
        status.torn_segments += reading.torn
        status.corrupt_segments += set_aside
        status.skipped_bytes += reading.skipped
        status.missing_records += reading.missing
        status.undecodable_records += len(reading.undecodable)

    def _tell(self, calls: Sequence[Callable[[], None]]) -> None:
        for call in calls:
            try:
                call()
            except Exception:
                self.status.consumer_failures += 1
                logger.exception("a consumer lost a batch")

    def _discard(self, writer: str, reading: Reading) -> None:
        directory = self._log / writer
        for number in reading.finished:
            segment_path(directory, number).unlink(missing_ok=True)
        if reading.ended:
            with suppress(FileNotFoundError):  # another shipper was here
                (directory / LOCK).unlink(missing_ok=True)
                directory.rmdir()

    def _set_aside(self, writer: str, reading: Reading) -> int:
        """Keep what cannot be understood for a person; return how many segments are new there."""
        for frame in reading.undecodable:
            self._aside(f"{writer}-{frame.sequence}.frame").write_bytes(frame.payload)
        count = 0
        for number in reading.corrupt:
            path = segment_path(self._log / writer, number)
            with suppress(FileNotFoundError, FileExistsError):  # somebody was here before
                os.link(path, self._aside(f"{writer}-{path.name}.corrupt"))
                count += 1
        return count

    def _aside(self, name: str) -> Path:
        folder = self._log / SET_ASIDE
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder / name

    def _waiting_bytes(self, writer: str) -> int:
        directory, cursor = self._log / writer, self._cursors.get(writer, START)
        waiting = 0
        with suppress(OSError):  # the next pass counts again
            for number in segment_numbers(directory):
                if number >= cursor.segment:
                    waiting += segment_path(directory, number).stat().st_size
                    waiting -= cursor.offset if number == cursor.segment else HEADER_BYTES
        return max(0, waiting)
