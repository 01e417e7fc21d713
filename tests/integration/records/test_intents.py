"""Intents on their way: one record for each request, whoever dies between."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from steadyhand.records.log import LogSettings, RecordLog
from steadyhand.records.record import Record
from steadyhand.records.segment import writers
from steadyhand.records.shipper import Shipper
from steadyhand.records.store import RecordStore
from tests.support.records import QUICK, open_store, record, until_flushed, write_log


def intent(number: int) -> Record:
    return record(number, outcome="interrupted", reason="interrupted", stream=True)


def stored(store: RecordStore) -> list[tuple[str, str]]:
    rows = store.list(limit=1_000).records
    return sorted((row.record.request_id, row.record.outcome) for row in rows)


def ids(*outcomes: tuple[int, str]) -> list[tuple[str, str]]:
    return [(record(number).request_id, outcome) for number, outcome in outcomes]


class Told(list[Record]):
    def __call__(self, records: Sequence[Record]) -> None:
        self.extend(records)


def test_an_intent_is_no_record_while_its_writer_lives(tmp_path: Path) -> None:
    _, store = open_store(tmp_path)
    told = Told()
    shipper = Shipper(tmp_path / "log", store, [told])
    log = RecordLog(tmp_path / "log", QUICK)
    log.append(intent(1))
    until_flushed(log, 1)
    assert shipper.ship_once() == 0
    assert (stored(store), told, store.unsettled()) == ([], [], [log.writer])
    log.append(record(1, supersedes=1))
    until_flushed(log, 2)
    assert shipper.ship_once() == 1
    assert stored(store) == ids((1, "answered"))
    assert (told, store.unsettled()) == ([record(1, supersedes=1)], [])
    assert (shipper.status.superseded_entries, shipper.status.interrupted_records) == (1, 0)
    log.close()
    assert shipper.ship_once() == 0


def test_what_its_writer_left_open_is_interrupted_once(tmp_path: Path) -> None:
    _, store = open_store(tmp_path)
    told = Told()
    entries = [intent(1), intent(2), record(2, supersedes=2), intent(3), record(4)]
    write_log(tmp_path / "log", entries)
    shipper = Shipper(tmp_path / "log", store, [told], batch=2)
    while writers(tmp_path / "log"):
        shipper.ship_once()
    wanted = ids((1, "interrupted"), (2, "answered"), (3, "interrupted"), (4, "answered"))
    assert stored(store) == wanted
    assert sorted((each.request_id, each.outcome) for each in told) == wanted
    assert (shipper.status.interrupted_records, shipper.status.shipped) == (2, 4)
    assert Shipper(tmp_path / "log", store, [told]).ship_once() == 0
    assert len(told) == 4


def test_a_correction_replaces_what_was_stored_already(tmp_path: Path) -> None:
    _, store = open_store(tmp_path)
    shipper = Shipper(tmp_path / "log", store)
    log = RecordLog(tmp_path / "log", LogSettings(window_ms=5))
    log.append(record(1))
    until_flushed(log, 1)
    shipper.ship_once()
    assert stored(store) == ids((1, "answered"))
    log.append(record(1, outcome="failed", supersedes=1))
    until_flushed(log, 2)
    shipper.ship_once()
    assert stored(store) == ids((1, "failed"))
    log.close()


def test_intents_of_a_folder_that_is_gone_are_settled_at_the_next_start(tmp_path: Path) -> None:
    _, store = open_store(tmp_path)
    log = RecordLog(tmp_path / "log", QUICK)
    log.append(intent(1))
    until_flushed(log, 1)
    Shipper(tmp_path / "log", store).ship_once()
    log.close()
    shutil.rmtree(tmp_path / "log" / log.writer)
    told = Told()
    assert Shipper(tmp_path / "log", store, [told]).ship_once() == 0
    assert stored(store) == ids((1, "interrupted"))
    assert told == [intent(1)]
    assert store.unsettled() == []
