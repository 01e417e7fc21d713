"""The database deleted, replaced, older or read-only under load: what the log has is not lost.

The file is taken away while a shipper works at it and a gateway goes on logging. Rows that stood in
it are the operator's; what had not yet been stored, and what was being stored, must come to the
next one.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import event

from steadyhand.records.log import LogSettings, RecordLog
from steadyhand.records.record import Record
from steadyhand.records.shipper import Shipper
from steadyhand.records.store import DatabaseBehind, RecordStore
from steadyhand.storage.database import Database, DatabaseReplaced
from steadyhand.storage.migrations import upgrade
from steadyhand.storage.open import open_database, sqlite_url
from tests.support.records import QUICK, record, until, until_flushed, write_log

LONG = LogSettings(window_ms=5, segment_age_s=3600)
"""One segment for the whole test: nothing of the log is deleted before its writer has ended."""


class Place:
    """A database file, the store on it, and a shipper that mends what it finds."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / "records.db"
        self.log = directory / "log"
        self.database: Database = open_database(sqlite_url(self.file), busy_timeout_ms=1_000)
        self.store = RecordStore(self.database)
        self.told: list[Record] = []
        self.shipper = Shipper(
            self.log, self.store, [self.told.extend], prepare=lambda: upgrade(self.database)
        )

    def delete(self) -> None:
        for path in self.file.parent.glob(f"{self.file.name}*"):
            path.unlink()

    def ids(self) -> list[str]:
        return sorted(row.record.request_id for row in self.store.list(limit=100_000).records)

    @contextmanager
    def shipping(self) -> Iterator[None]:
        stop = Event()
        thread = Thread(target=self.shipper.run, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(20)
            assert not thread.is_alive()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.database.close()


def numbered(*numbers: int) -> list[str]:
    return [record(number).request_id for number in numbers]


def test_a_shipper_makes_the_database_that_is_not_there(place: Place) -> None:
    write_log(place.log, [record(1)])
    assert place.shipper.ship_once() == 1
    assert place.ids() == numbered(1)


def test_deleted_between_passes_what_the_log_has_is_stored_again(place: Place) -> None:
    log = RecordLog(place.log, LONG)
    for number in (1, 2):
        log.append(record(number))
    until_flushed(log, 2)
    place.shipper.ship_once()
    place.delete()
    log.append(record(3))
    until_flushed(log, 3)
    place.shipper.ship_once()
    place.shipper.ship_once()
    assert place.ids() == numbered(1, 2, 3)
    assert log.close() == 0


@pytest.mark.parametrize("what", ["deleted", "replaced", "backup"])
def test_taken_away_inside_a_transaction_nothing_is_deleted_from_the_log(
    place: Place, what: str
) -> None:
    """The commit goes to a file that has no name any more; only the log can tell again."""
    log = RecordLog(place.log, LONG)
    log.append(record(1))
    until_flushed(log, 1)
    place.shipper.ship_once()
    backup = place.file.with_name("backup")
    with sqlite3.connect(place.file) as source, sqlite3.connect(backup) as target:
        source.backup(target)
    source.close()
    target.close()
    log.append(record(2))
    assert log.close() == 0

    left = [what]

    def take_away(*_: object) -> None:
        if not left:
            return
        left.clear()
        place.delete()
        if what == "replaced":
            sqlite3.connect(place.file).close()
            place.file.touch()
        if what == "backup":
            shutil.copy(backup, place.file)

    event.listen(place.database.engine, "commit", take_away)
    assert place.shipper.ship_once() == 0
    assert place.shipper.status.database_replaced == 1
    assert [*place.log.glob("*/*.seg")], "the log is all there is"
    place.shipper.ship_once()
    assert place.ids() == numbered(1, 2)
    assert not [*place.log.glob("*/*.seg")]


@pytest.mark.parametrize("what", ["deleted", "older schema"])
def test_taken_away_again_and_again_under_load(place: Place, what: str) -> None:
    log = RecordLog(place.log, LONG)
    count = 0
    with place.shipping():
        for _ in range(4):
            for _ in range(300):
                count += 1
                log.append(record(count))
            until_flushed(log, count)
            until(partial(moved, place.shipper, place.shipper.status.shipped), "shipping")
            place.delete()
            if what == "older schema":
                older(place.file)
        assert log.close() == 0
    for _ in range(5):
        place.shipper.ship_once()
    assert place.ids() == numbered(*range(1, count + 1))


def moved(shipper: Shipper, since: int) -> bool:
    return shipper.status.shipped > since


def older(file: Path) -> None:
    """Make a database as the first version of the schema left it."""
    database = open_database(sqlite_url(file))
    upgrade(database, "0001")
    database.close()


def test_read_only_records_wait_until_it_is_not(place: Place) -> None:
    write_log(place.log, [record(number) for number in range(20)])
    upgrade(place.database)

    def refuse(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA query_only = ON")

    event.listen(place.database.engine, "checkout", refuse)
    for _ in range(3):
        assert place.shipper.ship_once() == 0
    assert place.shipper.status.failures == 3
    assert len([*place.log.glob("*/*.seg")]) == 1
    event.remove(place.database.engine, "checkout", refuse)
    place.database.close()
    assert place.shipper.ship_once() == 20
    assert place.told == [record(number) for number in range(20)]


def test_a_database_that_has_less_than_was_stored_is_noticed(place: Place) -> None:
    """As after a backup of any kind of database was brought back."""
    log = RecordLog(place.log, QUICK)
    log.append(record(1))
    until_flushed(log, 1)
    place.shipper.ship_once()
    with pytest.raises(DatabaseBehind, match="stored to 9, and the database has it to 1"):
        place.store.ship(log.writer, [], place.store.cursor(log.writer), after=9)
    assert log.close() == 0


def test_a_write_says_that_its_file_is_gone(place: Place) -> None:
    upgrade(place.database)
    with pytest.raises(DatabaseReplaced), place.database.write():
        place.delete()
    with pytest.raises(DatabaseReplaced) as caught, place.database.write():
        place.delete()
    assert (caught.value.code, caught.value.retryable) == ("database_replaced", True)
