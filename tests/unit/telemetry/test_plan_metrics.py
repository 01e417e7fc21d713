"""Rungs that were planned around are counted by route and reason; drills are not."""

from steadyhand.records.record import DRILL
from steadyhand.telemetry.collectors import registry, scrape
from steadyhand.telemetry.plan_metrics import PlanMetrics
from tests.support.records import record

OPEN = ("live", "far", "m", "open")


def read(decision: bytes) -> list[tuple[str, str, str, str]]:
    return [OPEN, ("cache", "", "", "not_proven")] if decision == b"two" else []


def test_each_rung_is_counted_by_route_and_reason() -> None:
    metrics = PlanMetrics(read)
    metrics.consume([record(decision=b"two"), record(decision=b"none"), record()])
    metrics.consume([record(decision=b"two"), record(decision=b"two", wire=DRILL)])
    text = scrape(registry([metrics]))[0].decode()
    rows = [row for row in text.splitlines() if not row.startswith("#")]
    name = "steadyhand_planned_around_total"
    assert sorted(rows) == [
        f'{name}{{kind="cache",model="-",provider="-",reason="not_proven",route="support"}} 2.0',
        f'{name}{{kind="live",model="m",provider="far",reason="open",route="support"}} 2.0',
    ]
