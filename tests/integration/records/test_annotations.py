"""Annotations travel with the records: from the log to SQL, to the consumers, to whoever asks."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import pytest
import sqlalchemy as sa

from steadyhand.records.annotation import Annotation
from steadyhand.records.cursor import START
from steadyhand.records.log import LogSettings, RecordLog
from steadyhand.records.reader import read
from steadyhand.records.record import Record
from steadyhand.records.segment import writers
from steadyhand.records.selection import RecordFilter
from steadyhand.records.shipper import Shipper
from steadyhand.records.store import RecordStore
from steadyhand.storage.migrations import upgrade
from steadyhand.storage.open import open_database, sqlite_url
from tests.support.records import (
    QUICK,
    logged,
    note,
    notes,
    open_store,
    payload_of,
    record,
    write_log,
    write_segment,
)

NAMES = ["writer", "tenant", "key", "route", "outcome", "reason", "rung", "provider", "model"]
NUMBERS = [
    *("sequence", "status", "stream", "in_time", "total_us", "first_content_us"),
    *("input_tokens", "output_tokens", "process"),
]
UNKNOWN = Annotation("req_00000001", "praise", 1, b"\xc0")


def test_the_log_keeps_records_and_annotations_in_one_order(tmp_path: Path) -> None:
    log = RecordLog(tmp_path, QUICK)
    assert log.append(record(1)) == 1
    log.annotate(note(1))
    assert log.append(record(2)) == 3
    assert (log.appended, log.annotated) == (3, 1)
    assert log.close() == 0
    assert logged(tmp_path / log.writer) == [record(1), record(2)]
    assert notes(tmp_path / log.writer) == [note(1)]
    reading = read(tmp_path / log.writer, START, 2)
    assert (len(reading.entries), len(reading.notes), reading.cursor.sequence) == (1, 1, 2)


def test_at_its_bound_the_log_drops_and_counts_them(tmp_path: Path) -> None:
    log = RecordLog(tmp_path, LogSettings(window_ms=60_000, max_pending_bytes=1))
    log.append(record(1))
    log.annotate(note(1))
    assert (log.dropped, log.annotated) == (1, 0)
    log.close()


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
def test_they_are_shipped_once_in_batches_of_any_size(tmp_path: Path, batch: int) -> None:
    _, store = open_store(tmp_path)
    log = RecordLog(tmp_path / "log", QUICK)
    log.annotate(note(0))  # of a request whose record is elsewhere, or lost
    for n in range(1, 8):
        log.append(record(n))
        log.annotate(note(n))
        log.annotate(note(n, role="harvest"))
    log.close()
    told: list[Record | Annotation] = []

    def tell(fresh: Sequence[Record | Annotation]) -> None:
        told.extend(fresh)

    shipper = Shipper(tmp_path / "log", store, [tell], annotation_consumers=[tell], batch=batch)
    while writers(tmp_path / "log"):
        shipper.ship_once()
    assert [each for each in told if isinstance(each, Record)] == [record(n) for n in range(1, 8)]
    assert [each for each in told if isinstance(each, Annotation)] == [
        note(0),
        *chain.from_iterable((note(n), note(n, role="harvest")) for n in range(1, 8)),
    ]
    assert store.annotations_of("req_00000003") == [note(3), note(3, role="harvest")]
    assert store.annotations_of("req_unknown") == []
    status = shipper.status
    assert (status.shipped, status.annotations, status.unknown_annotations) == (7, 15, 0)


def test_a_consumer_that_fails_harms_no_other(tmp_path: Path) -> None:
    _, store = open_store(tmp_path)
    write_log(tmp_path / "log", [note(1)])
    told: list[Annotation] = []

    def fail(_: Sequence[Annotation]) -> None:
        raise ValueError("a bug")

    shipper = Shipper(tmp_path / "log", store, annotation_consumers=[fail, told.extend])
    shipper.ship_once()
    assert told == [note(1)]
    assert shipper.status.consumer_failures == 1


def test_a_kind_of_a_later_version_is_kept_and_counted(tmp_path: Path) -> None:
    _, store = open_store(tmp_path)
    write_log(tmp_path / "log", [record(1), UNKNOWN, note(1)])
    told: list[Annotation] = []
    shipper = Shipper(tmp_path / "log", store, annotation_consumers=[told.extend])
    shipper.ship_once()
    assert told == [note(1)]
    assert store.annotations_of("req_00000001") == [UNKNOWN, note(1)]
    assert (shipper.status.annotations, shipper.status.unknown_annotations) == (2, 1)
    assert shipper.status.undecodable_records == 0


def test_an_entry_that_is_neither_is_set_aside(tmp_path: Path) -> None:
    _, store = open_store(tmp_path)
    frames = [(1, payload_of(record(1))), (2, b"\x81\xa1a\x01"), (3, payload_of(note(1)))]
    write_segment(tmp_path / "log" / "w", 1, frames)
    shipper = Shipper(tmp_path / "log", store)
    shipper.ship_once()
    assert shipper.status.undecodable_records == 1
    assert (tmp_path / "log" / "corrupt" / "w-2.frame").read_bytes() == b"\x81\xa1a\x01"
    assert store.annotations_of("req_00000001") == [note(1)]


def test_a_log_and_a_database_of_the_version_before_are_taken_over(tmp_path: Path) -> None:
    database = open_database(sqlite_url(tmp_path / "records.db"))
    upgrade(database, "0002")
    stored = {
        **dict.fromkeys(NAMES, ""),
        **dict.fromkeys(NUMBERS, 1),
        "request_id": "req_old",
        "received_us": record(5).received_us,
        "frame": payload_of(record(5)),
    }
    with database.write() as connection:
        connection.execute(sa.insert(sa.table("records", *map(sa.column, stored))), stored)
    assert "0004" in upgrade(database)
    store = RecordStore(database)
    write_log(tmp_path / "log", [record(1), note(1)])
    Shipper(tmp_path / "log", store).ship_once()
    assert [row.record for row in store.list().records] == [record(5), record(1)]
    assert store.count(RecordFilter(wire="chat")) == 2


def test_drills_are_listed_when_asked_for(tmp_path: Path) -> None:
    _, store = open_store(tmp_path)
    write_log(tmp_path / "log", [record(1), record(2, wire="drill"), record(3)])
    Shipper(tmp_path / "log", store).ship_once()

    def listed(wanted: RecordFilter) -> list[str]:
        return [row.record.request_id[-1] for row in store.list(wanted).records]

    assert listed(RecordFilter(wire_not="drill")) == ["3", "1"]
    assert listed(RecordFilter(wire="drill")) == ["2"]
    assert listed(RecordFilter()) == ["3", "2", "1"]
