"""The wall clock jumps: order and identity follow sequences, durations the monotonic clock."""

from pathlib import Path
from random import Random

import pytest

from steadyhand.core.ids import RequestIds
from steadyhand.gateway import recording
from steadyhand.records.log import RecordLog
from steadyhand.records.record import Record
from steadyhand.records.segment import writers
from steadyhand.records.shipper import Shipper
from steadyhand.telemetry.collectors import ShipperCollector, registry, scrape
from tests.support.chats import chat_body
from tests.support.gateways import gateway_bench
from tests.support.records import QUICK, open_store, record, until_flushed
from tests.support.upstreams import answers, streams

YEAR_S = 365 * 86_400.0


class JumpingClock:
    """Goes to any time between two readings, also back."""

    def __init__(self) -> None:
        self._random = Random(7)

    def __call__(self) -> float:
        return 1_790_000_000 + self._random.uniform(-YEAR_S, YEAR_S)

    def us(self) -> int:
        return int(self() * 1e6)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> JumpingClock:
    made = JumpingClock()
    monkeypatch.setattr(recording, "time", made)
    return made


async def test_no_duration_is_negative_and_every_request_has_its_record(
    clock: JumpingClock, tmp_path: Path
) -> None:
    log = RecordLog(tmp_path / "log", QUICK, clock_us=clock.us)
    scripts = [answers() if number % 2 else streams() for number in range(20)]
    bench = gateway_bench({"first": scripts}, append=log.append)
    for number in range(20):
        assert (await bench.ask(chat_body(stream=number % 2 == 0))).status == 200
    until_flushed(log, 20)
    _, store = open_store(tmp_path)
    told: list[Record] = []
    shipper = Shipper(tmp_path / "log", store, [told.extend], clock_us=clock.us)
    shipper.ship_once()
    assert len({each.request_id for each in told}) == 20
    assert len({each.received_us for each in told}) == 20, "the clock did jump"
    for each in told:
        assert 0 <= each.first_content_us <= each.total_us < 60_000_000
        assert each.in_time
        assert all(0 <= tried.started_us <= tried.ended_us for tried in each.attempts)
    assert log.close() == 0


def test_records_keep_the_order_of_their_sequences(clock: JumpingClock, tmp_path: Path) -> None:
    log = RecordLog(tmp_path / "log", QUICK, clock_us=clock.us)
    wanted = [record(number, received_us=clock.us()) for number in range(200)]
    for each in wanted:
        log.append(each)
    assert log.close() == 0
    _, store = open_store(tmp_path)
    told: list[Record] = []
    shipper = Shipper(tmp_path / "log", store, [told.extend], batch=7, clock_us=clock.us)
    while writers(tmp_path / "log"):
        shipper.ship_once()
        lag = scrape(registry([ShipperCollector(lambda: shipper.status, lambda: 0)]))[0]
        assert b"steadyhand_shipper_lag_seconds 0.0" in lag, "never negative"
    assert told == wanted
    assert store.count() == 200
    assert shipper.status.missing_records == 0


def test_request_ids_stay_unique(clock: JumpingClock) -> None:
    ids = RequestIds(7, clock)
    assert len({ids.next() for _ in range(5_000)}) == 5_000


def test_writers_that_start_at_the_same_moment_twice_are_two(tmp_path: Path) -> None:
    """The clock went back, and the process id came again."""
    logs = [RecordLog(tmp_path / "log", QUICK, clock_us=lambda: 5) for _ in range(8)]
    for number, log in enumerate(logs):
        log.append(record(number))
    assert [log.close() for log in logs] == [0] * 8
    assert len(writers(tmp_path / "log")) == 8
    _, store = open_store(tmp_path)
    assert Shipper(tmp_path / "log", store).ship_once() == 8
