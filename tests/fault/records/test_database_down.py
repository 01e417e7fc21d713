"""The database locked, missing, or full: records wait in the log, and none is lost."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from steadyhand.records.shipper import Shipper
from steadyhand.records.store import RecordStore
from steadyhand.storage.migrations import upgrade
from steadyhand.storage.open import open_database, sqlite_url
from tests.support.records import open_store, record, until, write_log

RECORDS = [record(n) for n in range(50)]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    write_log(tmp_path / "log", RECORDS)
    return tmp_path / "log"


@pytest.fixture
def locker(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "records.db", isolation_level=None)
    yield connection
    connection.close()


def assert_waits(shipper: Shipper, log: Path) -> None:
    failures = shipper.status.failures
    assert shipper.ship_once() == 0
    status = shipper.status
    assert status.failures == failures + 1
    assert status.oldest_us in (0, RECORDS[0].received_us)
    assert status.waiting_bytes > 50 * 100
    assert len([*log.glob("*/*.seg")]) == 1


def test_locked_by_another_connection(
    tmp_path: Path, log: Path, locker: sqlite3.Connection
) -> None:
    _, store = open_store(tmp_path, busy_timeout_ms=20)
    consumed: list[object] = []
    shipper = Shipper(log, store, [consumed.extend])
    locker.execute("BEGIN IMMEDIATE")
    assert_waits(shipper, log)
    assert_waits(shipper, log)
    assert shipper.status.oldest_us == RECORDS[0].received_us
    assert shipper.status.last_success_us == 0
    assert consumed == []
    locker.execute("ROLLBACK")
    assert shipper.ship_once() == 50
    assert consumed == RECORDS
    assert shipper.status.oldest_us == 0


def test_a_short_lock_is_waited_for_not_counted(
    tmp_path: Path, log: Path, locker: sqlite3.Connection
) -> None:
    _, store = open_store(tmp_path, busy_timeout_ms=20_000)
    shipper = Shipper(log, store)
    locker.execute("BEGIN IMMEDIATE")
    thread = Thread(target=shipper.ship_once)
    thread.start()
    thread.join(0.1)
    assert thread.is_alive()
    locker.execute("ROLLBACK")
    thread.join(20)
    assert (shipper.status.shipped, shipper.status.failures) == (50, 0)


def test_missing_tables(tmp_path: Path, log: Path) -> None:
    database = open_database(sqlite_url(tmp_path / "records.db"))
    store = RecordStore(database)
    shipper = Shipper(log, store)
    assert_waits(shipper, log)
    upgrade(database)
    assert shipper.ship_once() == 50


def test_a_missing_folder(tmp_path: Path, log: Path) -> None:
    database = open_database(sqlite_url(tmp_path / "later" / "records.db"))
    shipper = Shipper(log, RecordStore(database))
    assert_waits(shipper, log)
    (tmp_path / "later").mkdir()
    upgrade(database)
    assert shipper.ship_once() == 50


def test_full(tmp_path: Path, log: Path) -> None:
    database, store = open_store(tmp_path)
    shipper = Shipper(log, store)
    with database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    assert_waits(shipper, log)
    assert store.count() == 0
    with database.read() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert shipper.ship_once() == 50


def test_the_thread_outlives_it(tmp_path: Path, log: Path, locker: sqlite3.Connection) -> None:
    _, store = open_store(tmp_path, busy_timeout_ms=1)
    shipper, stop = Shipper(log, store), Event()
    locker.execute("BEGIN IMMEDIATE")
    thread = Thread(target=shipper.run, args=(stop,))
    thread.start()
    until(lambda: shipper.status.failures > 1, "failures")
    locker.execute("ROLLBACK")
    until(lambda: shipper.status.shipped == 50, "recovery")
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_one_writer_that_cannot_be_read_does_not_hold_up_the_others(
    tmp_path: Path, log: Path
) -> None:
    _, store = open_store(tmp_path)
    (log / "0-bad" / "00000001.seg").mkdir(parents=True)  # a folder where a segment should be
    shipper = Shipper(log, store)
    assert shipper.ship_once() == 50
    assert shipper.status.failures == 1
