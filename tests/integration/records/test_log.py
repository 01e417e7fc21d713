"""The record log writes what it accepted, in order, inside its bounds."""

import os
from pathlib import Path

import pytest

from steadyhand.records.cursor import START
from steadyhand.records.log import LogSettings, RecordLog
from steadyhand.records.reader import read
from steadyhand.records.record import Record
from steadyhand.records.segment import is_alive, segment_numbers, segment_path, writers
from tests.support.records import QUICK, logged, payload_of, record, until, until_flushed, write_log


def test_what_is_appended_is_flushed_within_its_window_and_read_back(tmp_path: Path) -> None:
    log = RecordLog(tmp_path, QUICK)
    before_us = log.last_flush_us
    wanted = [record(n) for n in range(1, 5_001)]  # more than one write takes
    for each in wanted:
        log.append(each)
    until(lambda: log.flushed == 5_000, "the flusher")
    until(lambda: log.last_flush_us > before_us, "the end of the flush")
    reading = read(tmp_path / log.writer, START, 10_000)
    assert [entry.record for entry in reading.entries] == wanted
    assert [entry.sequence for entry in reading.entries] == [*range(1, 5_001)]
    assert (reading.missing, reading.torn, reading.corrupt) == (0, 0, [])
    assert (log.appended, log.dropped, log.pending_bytes) == (5_000, 0, 0)
    log.close()


def test_the_lock_says_whether_the_writer_lives(tmp_path: Path) -> None:
    log = RecordLog(tmp_path, QUICK)
    log.append(record())
    until(lambda: log.flushed, "the flusher")
    assert writers(tmp_path) == [log.writer]
    assert is_alive(tmp_path / log.writer)
    assert not read(tmp_path / log.writer, START, 9).ended
    log.close()
    assert not is_alive(tmp_path / log.writer)
    assert read(tmp_path / log.writer, START, 9).ended
    assert not is_alive(tmp_path / "nobody")


def test_an_idle_log_makes_no_file(tmp_path: Path) -> None:
    log = RecordLog(tmp_path / "log", LogSettings(window_ms=1, segment_age_s=0.001))
    until(lambda: log.last_flush_us, "a window")
    assert log.close() == 0
    assert writers(tmp_path / "log") == []


def test_a_closed_log_flushes_what_waits(tmp_path: Path) -> None:
    log = RecordLog(tmp_path, LogSettings(window_ms=60_000))
    for n in range(100):
        log.append(record(n))
    assert log.flushed == 0
    assert log.pending_bytes > 100 * len(payload_of(record()))
    assert log.close() == 0
    assert len(logged(tmp_path / log.writer)) == 100


def test_a_long_segment_is_followed_by_the_next(tmp_path: Path) -> None:
    log = RecordLog(tmp_path, LogSettings(window_ms=1, segment_bytes=5_000))
    for n in range(60):
        log.append(record(n))
        until_flushed(log, n + 1)
    log.close()
    numbers = segment_numbers(tmp_path / log.writer)
    assert len(numbers) > 3
    assert numbers == [*range(1, len(numbers) + 1)]
    for number in numbers:
        size = segment_path(tmp_path / log.writer, number).stat().st_size
        assert size < 5_000 + 2 * len(payload_of(record()))
    assert logged(tmp_path / log.writer) == [record(n) for n in range(60)]


def test_an_old_segment_gets_a_successor_so_that_it_can_be_deleted(tmp_path: Path) -> None:
    log = RecordLog(tmp_path, LogSettings(window_ms=5, segment_age_s=0.02))
    log.append(record())
    directory = tmp_path / log.writer
    until(lambda: segment_numbers(directory) == [1, 2], "the successor")
    reading = read(directory, START, 9)
    assert (reading.finished, len(reading.entries)) == ([1], 1)
    log.close()
    assert segment_numbers(directory) == [1]  # the empty one is gone with its writer


def test_at_its_size_on_disk_records_are_dropped_until_some_are_shipped(tmp_path: Path) -> None:
    settings = LogSettings(window_ms=1, segment_bytes=4_000, max_bytes=20_000)
    log = RecordLog(tmp_path, settings)
    until(lambda: append_one(log).dropped > 50, "the bound")
    until(lambda: log.flushed == log.appended, "the flusher")
    directory = tmp_path / log.writer
    stored = sum(path.stat().st_size for path in directory.glob("*.seg"))
    assert 15_000 < stored < 20_000 + 2_000
    kept = log.appended
    for number in segment_numbers(directory)[:-1]:  # as the shipper does
        segment_path(directory, number).unlink()
    until(lambda: append_one(log).appended > kept + 10, "room for more")
    assert log.close() == 0


def append_one(log: RecordLog) -> RecordLog:
    log.append(record())
    return log


def test_memory_is_bounded_while_nothing_is_written(tmp_path: Path) -> None:
    log = RecordLog(tmp_path, LogSettings(window_ms=60_000, max_pending_bytes=10_000))
    for n in range(100):
        log.append(record(n))
    assert log.appended + log.dropped == 100
    assert log.dropped > 50
    assert 10_000 <= log.pending_bytes < 10_000 + 1_000
    assert log.close() == 0
    assert logged(tmp_path / log.writer) == [record(n) for n in range(log.appended)]


@pytest.mark.parametrize(
    "wrong",
    [
        record(tenant="\ud800"),  # half a character
        record(status=2**70),
        record(route=object()),
        record(requested_model="x" * 300_000),  # longer than any frame
    ],
    ids=["surrogate", "number", "type", "size"],
)
def test_what_cannot_be_written_is_counted_and_the_next_goes_on(
    tmp_path: Path, wrong: Record
) -> None:
    log = RecordLog(tmp_path, QUICK)
    log.append(wrong)
    log.append(record(2))
    assert log.close() == 0
    assert (log.unencodable, log.appended) == (1, 1)
    assert logged(tmp_path / log.writer) == [record(2)]


def test_writers_are_named_in_the_order_they_started(tmp_path: Path) -> None:
    names = [write_log(tmp_path, [record(n)]) for n in range(3)]
    assert writers(tmp_path) == names
    assert len(set(names)) == 3


def test_the_log_is_for_its_owner_only(tmp_path: Path) -> None:
    writer = write_log(tmp_path / "log", [record()])
    assert (tmp_path / "log").stat().st_mode & 0o077 == 0
    assert segment_path(tmp_path / "log" / writer, 1).stat().st_mode & 0o077 == 0
    assert os.listdir(tmp_path / "log") == [writer]
