"""Segments that a crash or a disk has damaged: what is whole is shipped, the rest is told."""

from pathlib import Path

import pytest

from steadyhand.records.cursor import START, Cursor
from steadyhand.records.frame import HEAD_BYTES, HEADER_BYTES
from steadyhand.records.log import RecordLog
from steadyhand.records.reader import BLOCK, read
from steadyhand.records.segment import segment_path, writers
from steadyhand.records.shipper import Shipper
from tests.support.records import (
    QUICK,
    logged,
    open_store,
    payload_of,
    record,
    until,
    write_log,
    write_segment,
)

PAYLOADS = [(n, payload_of(record(n))) for n in range(1, 11)]
FRAME = HEAD_BYTES + len(PAYLOADS[0][1])


def cut(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 0x10
    path.write_bytes(content)


@pytest.mark.parametrize("lost", [1, HEAD_BYTES, FRAME - 1, FRAME - HEAD_BYTES])
def test_a_torn_tail_of_a_dead_writer_ends_its_log(tmp_path: Path, lost: int) -> None:
    _, store = open_store(tmp_path)
    path = write_segment(tmp_path / "log" / "w", 1, PAYLOADS)
    cut(path, path.stat().st_size - lost)
    shipper = Shipper(tmp_path / "log", store)
    assert shipper.ship_once() == 9
    assert (shipper.status.torn_segments, shipper.status.corrupt_segments) == (1, 0)
    assert writers(tmp_path / "log") == []


@pytest.mark.parametrize("size", [0, 1, HEADER_BYTES - 1, HEADER_BYTES])
def test_a_writer_that_died_in_or_after_its_header_leaves_nothing(
    tmp_path: Path, size: int
) -> None:
    _, store = open_store(tmp_path)
    cut(write_segment(tmp_path / "log" / "w", 1, PAYLOADS), size)
    shipper = Shipper(tmp_path / "log", store)
    assert shipper.ship_once() == 0
    assert shipper.status.torn_segments == (size < HEADER_BYTES)
    assert writers(tmp_path / "log") == []


def test_room_that_was_made_and_not_used_is_no_damage(tmp_path: Path) -> None:
    _, store = open_store(tmp_path)
    write_segment(tmp_path / "log" / "w", 1, PAYLOADS, tail=bytes(5_000))
    shipper = Shipper(tmp_path / "log", store)
    assert shipper.ship_once() == 10
    assert (shipper.status.torn_segments, shipper.status.corrupt_segments) == (0, 0)


def test_a_write_torn_inside_room_that_was_made_is_torn_not_corrupt(tmp_path: Path) -> None:
    _, store = open_store(tmp_path)
    path = write_segment(tmp_path / "log" / "w", 1, PAYLOADS)
    cut(path, path.stat().st_size - 20)
    cut(path, 1024 * 1024)
    shipper = Shipper(tmp_path / "log", store)
    assert shipper.ship_once() == 9
    assert (shipper.status.torn_segments, shipper.status.corrupt_segments) == (1, 0)
    assert writers(tmp_path / "log") == []


def test_a_torn_tail_of_a_living_writer_is_waited_for(tmp_path: Path) -> None:
    _, store = open_store(tmp_path)
    log = RecordLog(tmp_path / "log", QUICK)
    log.append(record(1))
    until(lambda: log.flushed == 1, "the flusher")
    path = segment_path(tmp_path / "log" / log.writer, 1)
    whole = path.read_bytes()
    shipper = Shipper(tmp_path / "log", store)
    with path.open("ab") as file:  # the first half of a frame, as a reader may see it
        file.write(whole[HEADER_BYTES : HEADER_BYTES + 40])
    assert [shipper.ship_once(), shipper.ship_once()] == [1, 0]
    assert shipper.status.torn_segments == 0
    assert path.exists()
    log.close()
    shipper.ship_once()
    assert shipper.status.torn_segments == 1
    assert writers(tmp_path / "log") == []


def test_damage_at_the_end_of_a_living_writers_segment_is_not_judged_yet(tmp_path: Path) -> None:
    log = RecordLog(tmp_path, QUICK)
    log.append(record(1))
    until(lambda: log.flushed == 1, "the flusher")
    path = segment_path(tmp_path / log.writer, 1)
    size = path.stat().st_size
    with path.open("ab") as file:
        file.write(b"\xff" * 40)
    reading = read(tmp_path / log.writer, START, 9)
    assert (len(reading.entries), reading.cursor) == (1, Cursor(1, size, 1))
    assert (reading.finished, reading.corrupt) == ([], [])
    log.close()
    assert read(tmp_path / log.writer, reading.cursor, 9).corrupt == [1]


def test_a_corrupt_frame_costs_itself_and_its_segment_is_set_aside(tmp_path: Path) -> None:
    _, store = open_store(tmp_path)
    path = write_segment(tmp_path / "log" / "w", 1, PAYLOADS[:6])
    write_segment(tmp_path / "log" / "w", 2, PAYLOADS[6:])
    flip(path, HEADER_BYTES + 3 * FRAME + HEAD_BYTES + 5)
    damaged = path.read_bytes()
    shipper = Shipper(tmp_path / "log", store)
    assert shipper.ship_once() == 5 + 4
    status = shipper.status
    assert (status.corrupt_segments, status.missing_records, status.failures) == (1, 1, 0)
    assert status.skipped_bytes == FRAME
    kept = tmp_path / "log" / "corrupt" / "w-00000001.seg.corrupt"
    assert kept.read_bytes() == damaged
    assert writers(tmp_path / "log") == []
    assert shipper.ship_once() == 0
    assert status.corrupt_segments == 1


@pytest.mark.parametrize("width", [1, 200, 5_000])
@pytest.mark.parametrize("batch", [2, 3, 100])
def test_damage_in_the_middle_is_skipped_to_the_next_sound_frame(
    tmp_path: Path, width: int, batch: int
) -> None:
    """Wherever it falls, also into the length of a frame, and however many are read at once."""
    _, store = open_store(tmp_path)
    payloads = [(n, payload_of(record(n))) for n in range(1, 61)]
    path = write_segment(tmp_path / "log" / "w", 1, payloads)
    content = bytearray(path.read_bytes())
    at = HEADER_BYTES + 10 * FRAME + 1
    content[at : at + width] = b"\xa5" * width
    path.write_bytes(content)
    shipper = Shipper(tmp_path / "log", store, batch=batch)
    while writers(tmp_path / "log"):
        shipper.ship_once()
    lost = (width + FRAME) // FRAME
    assert {row.record.request_id for row in store.list(limit=100).records} == {
        record(n).request_id for n in (*range(1, 11), *range(11 + lost, 61))
    }
    status = shipper.status
    assert (status.missing_records, status.skipped_bytes) == (lost, lost * FRAME)
    assert (status.corrupt_segments, status.failures) == (1, 0)
    assert (tmp_path / "log" / "corrupt" / "w-00000001.seg.corrupt").read_bytes() == content


@pytest.mark.parametrize("place", [0, 9, 20, HEADER_BYTES - 1])
def test_a_corrupt_header_costs_no_record(tmp_path: Path, place: int) -> None:
    _, store = open_store(tmp_path)
    flip(write_segment(tmp_path / "log" / "w", 1, PAYLOADS[:6]), place)
    write_segment(tmp_path / "log" / "w", 2, PAYLOADS[6:])
    shipper = Shipper(tmp_path / "log", store)
    assert shipper.ship_once() == 6 + 4
    assert (shipper.status.corrupt_segments, shipper.status.missing_records) == (1, 0)


def test_a_long_run_of_zeros_with_something_behind_is_corrupt(tmp_path: Path) -> None:
    _, store = open_store(tmp_path)
    write_segment(tmp_path / "log" / "w", 1, PAYLOADS[:6], tail=bytes(3 * BLOCK) + b"x")
    shipper = Shipper(tmp_path / "log", store)
    assert shipper.ship_once() == 6
    assert shipper.status.corrupt_segments == 1


def test_frames_across_the_edges_of_blocks_are_read(tmp_path: Path) -> None:
    big = [record(n, requested_model="x" * 100_000) for n in range(40)]
    writer = write_log(tmp_path, big)
    assert segment_path(tmp_path / writer, 1).stat().st_size > 3 * BLOCK
    assert logged(tmp_path / writer) == big


def test_a_frame_of_an_unknown_shape_is_set_aside_alone(tmp_path: Path) -> None:
    _, store = open_store(tmp_path)
    frames = [PAYLOADS[0], (2, b"\x93\x01\x02\x03"), *PAYLOADS[2:4]]
    write_segment(tmp_path / "log" / "w", 1, frames)
    shipper = Shipper(tmp_path / "log", store)
    assert shipper.ship_once() == 3
    assert shipper.status.undecodable_records == 1
    assert (tmp_path / "log" / "corrupt" / "w-2.frame").read_bytes() == frames[1][1]
    assert writers(tmp_path / "log") == []


def test_a_log_with_only_unknown_shapes_is_still_passed_and_deleted(tmp_path: Path) -> None:
    _, store = open_store(tmp_path)
    write_segment(tmp_path / "log" / "w", 1, [(1, b"\xc0")])
    shipper = Shipper(tmp_path / "log", store)
    assert shipper.ship_once() == 0
    assert store.cursor("w").sequence == 1
    assert writers(tmp_path / "log") == []


def test_a_cursor_past_the_end_of_a_log_that_lost_its_tail_is_at_its_end(tmp_path: Path) -> None:
    """A power cut may take back what a reader has already seen and shipped."""
    _, store = open_store(tmp_path)
    path = write_segment(tmp_path / "log" / "w", 1, PAYLOADS)
    store.ship("w", read(tmp_path / "log" / "w", START, 99).entries, Cursor(1, 99_999, 10))
    cut(path, HEADER_BYTES + 4 * FRAME)
    shipper = Shipper(tmp_path / "log", store)
    assert shipper.ship_once() == 0
    assert store.count() == 10
    assert writers(tmp_path / "log") == []
