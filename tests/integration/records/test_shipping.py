"""From the log to SQL, to the consumers, and out of the log."""

from collections.abc import Sequence
from pathlib import Path
from threading import Event, Thread

from steadyhand.records.log import LogSettings, RecordLog
from steadyhand.records.record import Record
from steadyhand.records.segment import segment_numbers, writers
from steadyhand.records.shipper import BATCH, Shipper
from tests.support.records import (
    QUICK,
    open_store,
    payload_of,
    record,
    until,
    until_flushed,
    write_log,
    write_segment,
)


class Consumed(list[Record]):
    """Remembers what a consumer is given."""

    def __call__(self, records: Sequence[Record]) -> None:
        assert records
        self.extend(records)


def test_a_finished_log_is_shipped_in_batches_and_then_gone(tmp_path: Path) -> None:
    _, store = open_store(tmp_path)
    wanted = [record(n) for n in range(BATCH + 500)]
    writer = write_log(tmp_path / "log", wanted)
    consumed = Consumed()
    shipper = Shipper(tmp_path / "log", store, [consumed])
    assert [shipper.ship_once() for _ in range(3)] == [BATCH, 500, 0]
    assert consumed == wanted
    assert store.count() == len(wanted)
    assert store.cursor(writer).sequence == len(wanted)
    assert writers(tmp_path / "log") == []
    assert (shipper.status.shipped, shipper.status.waiting_bytes) == (len(wanted), 0)


def test_every_field_of_a_record_comes_back(tmp_path: Path) -> None:
    _, store = open_store(tmp_path)
    wanted = record(7, tenant="Tenant é", has_tools=True, cached_tokens=3, reason="x'; --")
    writer = write_log(tmp_path / "log", [wanted])
    Shipper(tmp_path / "log", store).ship_once()
    assert store.show(wanted.request_id) == (writer, 1, wanted)
    assert store.show("req_unknown") is None


def test_a_living_writer_is_followed_and_its_finished_segments_deleted(tmp_path: Path) -> None:
    _, store = open_store(tmp_path)
    log = RecordLog(tmp_path / "log", LogSettings(window_ms=2, segment_bytes=2_000))
    consumed = Consumed()
    shipper = Shipper(tmp_path / "log", store, [consumed])
    for n in range(40):
        log.append(record(n))
        until_flushed(log, n + 1)
        assert shipper.ship_once() == 1
        assert len(segment_numbers(tmp_path / "log" / log.writer)) <= 2
    assert consumed == [record(n) for n in range(40)]
    assert writers(tmp_path / "log") == [log.writer]
    log.close()
    shipper.ship_once()
    assert writers(tmp_path / "log") == []


def test_a_new_shipper_goes_on_where_the_last_one_was(tmp_path: Path) -> None:
    _, store = open_store(tmp_path)
    log = RecordLog(tmp_path / "log", QUICK)
    consumed = Consumed()
    for n in range(10):
        log.append(record(n))
        until_flushed(log, n + 1)
        assert Shipper(tmp_path / "log", store, [consumed]).ship_once() == 1
    log.close()
    assert Shipper(tmp_path / "log", store, [consumed]).ship_once() == 0
    assert consumed == [record(n) for n in range(10)]


def test_two_shippers_on_one_log_store_each_record_once(tmp_path: Path) -> None:
    _, store = open_store(tmp_path)
    log = RecordLog(tmp_path / "log", QUICK)
    first, second = Consumed(), Consumed()
    shippers = [Shipper(tmp_path / "log", store, [c]) for c in (first, second)]
    for n in range(20):
        log.append(record(n))
        until_flushed(log, n + 1)
        assert sum(shipper.ship_once() for shipper in shippers) == 1
        shippers.reverse()
    log.close()
    assert store.count() == 20
    assert sorted([*first, *second], key=lambda each: each.received_us) == [
        record(n) for n in range(20)
    ]
    assert first
    assert second


def test_the_oldest_writer_is_first_and_none_starves(tmp_path: Path) -> None:
    _, store = open_store(tmp_path)
    write_log(tmp_path / "log", [record(n) for n in range(BATCH + 1)])
    write_log(tmp_path / "log", [record(n) for n in range(9_000, 9_005)])
    consumed = Consumed()
    shipper = Shipper(tmp_path / "log", store, [consumed])
    assert shipper.ship_once() == BATCH + 5
    assert consumed[0] == record(0)
    assert consumed[BATCH:] == [record(n) for n in range(9_000, 9_005)]
    assert shipper.ship_once() == 1


def test_the_lag_is_the_age_of_what_waits(tmp_path: Path) -> None:
    _, store = open_store(tmp_path)
    wanted = [record(n) for n in range(BATCH + 10)]
    write_log(tmp_path / "log", wanted)
    shipper = Shipper(tmp_path / "log", store, clock_us=lambda: 77)
    shipper.ship_once()
    status = shipper.status
    assert status.oldest_us == wanted[BATCH - 1].received_us
    assert status.waiting_bytes == 10 * (16 + len(payload_of(wanted[0])))
    assert (status.writers, status.last_success_us) == (1, 77)
    shipper.ship_once()
    shipper.ship_once()
    assert (status.oldest_us, status.waiting_bytes, status.writers) == (0, 0, 0)


def test_frames_that_a_failed_sync_left_twice_are_taken_once(tmp_path: Path) -> None:
    _, store = open_store(tmp_path)
    payloads = [(n, payload_of(record(n))) for n in range(1, 8)]
    write_segment(tmp_path / "log" / "w", 1, payloads[:5])
    write_segment(tmp_path / "log" / "w", 2, payloads[2:])
    consumed = Consumed()
    shipper = Shipper(tmp_path / "log", store, [consumed])
    assert shipper.ship_once() == 7
    assert consumed == [record(n) for n in range(1, 8)]
    assert shipper.status.missing_records == 0


def test_a_consumer_that_raises_stops_neither_the_others_nor_shipping(tmp_path: Path) -> None:
    _, store = open_store(tmp_path)
    write_log(tmp_path / "log", [record(1)])
    consumed = Consumed()

    def refuse(_: Sequence[Record]) -> None:
        raise ValueError("not today")

    shipper = Shipper(tmp_path / "log", store, [refuse, consumed])
    assert shipper.ship_once() == 1
    assert consumed == [record(1)]
    assert (shipper.status.consumer_failures, shipper.status.failures) == (1, 0)


def test_a_thread_ships_until_it_is_stopped_and_once_more(tmp_path: Path) -> None:
    _, store = open_store(tmp_path)
    log = RecordLog(tmp_path / "log", QUICK)
    stop = Event()
    shipper = Shipper(tmp_path / "log", store)
    thread = Thread(target=shipper.run, args=(stop,))
    thread.start()
    log.append(record(1))
    until(lambda: shipper.status.shipped == 1, "the shipper")
    log.append(record(2))
    log.close()
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert store.count() == 2


def test_an_empty_or_absent_log_is_nothing_to_do(tmp_path: Path) -> None:
    _, store = open_store(tmp_path)
    shipper = Shipper(tmp_path / "absent", store)
    assert shipper.ship_once() == 0
    assert shipper.status.failures == 0


def test_a_log_that_cannot_be_listed_is_counted_and_tried_again(tmp_path: Path) -> None:
    in_the_way = tmp_path / "log"
    in_the_way.write_text("a file where the log should be")
    _, store = open_store(tmp_path)
    shipper = Shipper(in_the_way, store)
    assert shipper.ship_once() == 0
    assert shipper.status.failures == 1
    in_the_way.unlink()
    write_log(in_the_way, [record(1), record(2)])
    assert shipper.ship_once() == 2
