"""Boards: a gateway's numbers, read by another process while it lives and after."""

import os
from pathlib import Path

import msgspec
import pytest

from steadyhand.alerting.hints import Hints
from steadyhand.alerting.metrics import AlertMetrics
from steadyhand.alerting.notifier import Notifier
from steadyhand.alerting.settings import WebhookSettings
from steadyhand.alerting.store import AlertStore
from steadyhand.evals.grounding.checker import CheckerStatus
from steadyhand.evals.grounding.metrics import GroundingMetrics
from steadyhand.evals.grounding.rate import Tally, rate
from steadyhand.objectives.book import Book, Terms
from steadyhand.objectives.metrics import ObjectiveMetrics
from steadyhand.objectives.model import Objective
from steadyhand.records.annotation import Feedback, Grounding, annotation
from steadyhand.records.clock import wall_clock_us
from steadyhand.records.prices import Price
from steadyhand.records.record import DRILL
from steadyhand.records.shipper import ShipperStatus
from steadyhand.storage.migrations import upgrade
from steadyhand.storage.open import open_database, sqlite_url
from steadyhand.telemetry import names
from steadyhand.telemetry.board import FRESH_US, Board, read_board
from steadyhand.telemetry.collectors import (
    GatewayCollector,
    ShipperCollector,
    registry,
    scrape,
)
from steadyhand.telemetry.feedback import FeedbackMetrics
from steadyhand.telemetry.ladder_collector import StatusCollector
from steadyhand.telemetry.metrics import RequestMetrics
from steadyhand.telemetry.overhead import OverheadMetrics
from steadyhand.telemetry.plan_metrics import PlanMetrics
from steadyhand.telemetry.releases import ReleaseMetrics
from steadyhand.telemetry.rollouts import OpenRollout, RolloutMetrics
from steadyhand.telemetry.traces.exporter import Status as TraceStatus
from steadyhand.telemetry.traces.metrics import TraceMetrics
from tests.support.records import record
from tests.support.statuses import FULL

NOW_US = 1_790_000_000_000_000


def gauges(directory: Path, now_us: int) -> dict[str, float]:
    text, _ = scrape(registry([GatewayCollector(directory, lambda: now_us)]))
    lines = [line.rsplit(" ", 1) for line in text.decode().splitlines() if line[0] != "#"]
    return {series: float(value) for series, value in lines}


def board_of_a_child(path: Path, in_flight: int) -> int:
    """Let a process publish and die; return its pid."""
    pid = os.fork()
    if not pid:
        board = Board.create(path, wall_clock_us)
        board.publish({"in_flight": in_flight, "restarts": 2})
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


def test_what_is_published_is_read_whole(tmp_path: Path) -> None:
    board = Board.create(tmp_path / "gateway-0.board", lambda: NOW_US)
    board.publish({slot.name: -(2**63) + index for index, slot in enumerate(names.SLOTS)})
    board.publish({"in_flight": 2**63 - 1})
    reading = read_board(tmp_path / "gateway-0.board")
    assert reading is not None
    assert (reading.pid, reading.heartbeat_us) == (os.getpid(), NOW_US)
    expected = {slot.name: -(2**63) + index for index, slot in enumerate(names.SLOTS)}
    assert reading.values == expected | {"in_flight": 2**63 - 1}
    with pytest.raises(KeyError):
        board.publish({"nonsense": 1})


def test_a_live_process_shows_its_gauges_in_base_units(tmp_path: Path) -> None:
    board = Board.create(tmp_path / "gateway-3.board", lambda: NOW_US)
    board.publish({"in_flight": 7, "started_us": 1_500_000, "log_dropped": 4})
    found = gauges(tmp_path, NOW_US + 1)
    assert found['steadyhand_gateway_up{process="3"}'] == 1
    assert found['steadyhand_requests_in_flight{process="3"}'] == 7
    assert found['steadyhand_gateway_start_time_seconds{process="3"}'] == 1.5
    dropped = 'steadyhand_record_log_dropped_total{{process="3",reason="{}"}}'
    assert found[dropped.format("bound")] == 4
    assert found[dropped.format("unencodable")] == 0


def test_a_process_that_hangs_is_down_but_keeps_its_counts(tmp_path: Path) -> None:
    board = Board.create(tmp_path / "gateway-0.board", lambda: NOW_US)
    board.publish({"in_flight": 7, "log_dropped": 4})
    found = gauges(tmp_path, NOW_US + FRESH_US + 1)
    assert found['steadyhand_gateway_up{process="0"}'] == 0
    assert 'steadyhand_requests_in_flight{process="0"}' not in found
    assert found['steadyhand_record_log_dropped_total{process="0",reason="bound"}'] == 4


def test_a_dead_process_is_down_at_once_and_its_successor_up(tmp_path: Path) -> None:
    path = tmp_path / "gateway-0.board"
    pid = board_of_a_child(path, in_flight=5)
    reading = read_board(path)
    assert reading is not None
    assert reading.pid == pid
    assert reading.values["in_flight"] == 5
    assert not reading.is_up(reading.heartbeat_us)
    Board.create(path, wall_clock_us).publish({"in_flight": 1})
    assert gauges(tmp_path, wall_clock_us())['steadyhand_gateway_up{process="0"}'] == 1


@pytest.mark.parametrize("content", [b"", b"\0" * 8, b"\1" * 8 * (3 + len(names.SLOTS))])
def test_a_file_of_another_layout_is_not_read(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "gateway-0.board"
    path.write_bytes(content)
    assert read_board(path) is None
    assert read_board(tmp_path / "gateway-9.board") is None
    assert gauges(tmp_path, NOW_US) == {}


def test_every_metric_is_scraped_as_it_is_declared(tmp_path: Path) -> None:
    Board.create(tmp_path / "gateway-0.board", lambda: NOW_US)
    requests = RequestMetrics(names.edges([150]))
    requests.consume([record(outcome="truncated", stream=True, in_time=False)])
    overhead = OverheadMetrics()
    overhead.consume([record(wire=DRILL)])
    plans = PlanMetrics(lambda _: [("live", "far", "m", "open")])
    plans.consume([record(decision=b"any")])
    releases = ReleaseMetrics(lambda: 0, lambda: 1.5)
    releases.consume([record(arm="stable")])
    releases.changed("promote")
    releases.synced("ok")
    kept = {("support", ""): rate(Tally(1, 2.0, 4.0), Tally(3, 6.0, 12.0), Tally())}
    grounding = GroundingMetrics(lambda: CheckerStatus(judged={"late": 1}, rates=kept))
    grounding.consume_annotations(
        [annotation("r", 1, Grounding("t", "r", "", "not_measured", "unsure", 0.5, "c"))]
    )
    feedback = FeedbackMetrics()
    feedback.consume_annotations([annotation("r", 1, Feedback("t", "k", "i", thumbs="up"))])
    rollouts = RolloutMetrics(lambda: 1, lambda: [OpenRollout("support", "production", "no_data")])
    rollouts.told("rollout", {"change": "begun"})
    rollouts.told("page", {"reason": "no_data"})
    objective = Objective("support", "in_time", 0.999)
    price = {("p", "m"): Price(1.0, 1.0)}
    book = Book(lambda: Terms((objective,), price, 2_592_000, 15))
    book.look(NOW_US / 1e6 - 15)
    book.consume([record(provider="p", model="m")])
    book.look(NOW_US / 1e6)
    webhook = WebhookSettings(name="team", url="env:URL")
    database = open_database(sqlite_url(tmp_path / "x.db"))
    upgrade(database)
    store = AlertStore(database)
    notifier = Notifier(lambda: (webhook,), store, str, str, lambda: 0.0)
    notifier.test("team")
    hints = Hints(store, lambda route: None, lambda found: None, lambda: 0.0)
    hints.hear(b'{"alerts": [{"labels": {"alertname": "A"}}]}')
    status = ShipperStatus(shipped=3, oldest_us=NOW_US - 2_500_000)
    full = msgspec.structs.replace(FULL, made_us=NOW_US)
    (tmp_path / "gateway-2.status.json").write_bytes(msgspec.json.encode(full))
    made = registry(
        [
            requests,
            overhead,
            plans,
            releases,
            rollouts,
            feedback,
            grounding,
            ObjectiveMetrics(book),
            AlertMetrics(notifier, hints, lambda: 60.0),
            TraceMetrics(TraceStatus(), lambda: NOW_US),
            StatusCollector(tmp_path, lambda: NOW_US),
            GatewayCollector(tmp_path, lambda: NOW_US),
            ShipperCollector(lambda: status, lambda: NOW_US),
        ]
    )
    found = {family.name: family for family in made.collect()}
    declared = {
        metric.name.removesuffix("_total"): metric
        for chapter in names.METRICS.values()
        for metric in chapter
    }
    assert found.keys() == declared.keys()
    for name, metric in declared.items():
        family = found[name]
        assert (family.type, family.documentation) == (metric.type, metric.meaning)
        labels = {tuple(sorted(set(sample.labels) - {"le"})) for sample in family.samples}
        assert labels == {tuple(sorted(metric.labels))}
    assert [sample.value for sample in found["steadyhand_shipper_lag_seconds"].samples] == [2.5]
