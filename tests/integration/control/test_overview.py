"""The live page over REST: what ran lately, against what is promised, and how upstreams are."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from steadyhand.app.lately import refill
from steadyhand.telemetry.ring import Ring
from tests.support.control_plane import RunningControl, running_control
from tests.support.made_records import NOON_US, made, ship

NOON_S = NOON_US / 1e6


@pytest.fixture
def ring() -> Ring:
    return Ring(NOON_S - 1)


@pytest.fixture
def control(tmp_path: Path, ring: Ring) -> Iterator[RunningControl]:
    with running_control(tmp_path / "demo", ring=ring) as running:
        yield running


def test_nothing_has_happened_yet(control: RunningControl) -> None:
    found = control.ask("/overview").json
    assert found["total"]["requests"] == 0
    assert found["total"]["in_time_ratio"] is None
    assert found["newest_us"] is None
    assert [route["route"] for route in found["routes"]] == ["labels", "support"]
    assert found["since_us"] == NOON_US - 1_000_000
    assert all(point["requests"] == 0 for point in found["points"])
    assert found["objectives"] == []


def test_requests_are_counted_by_route_and_time(control: RunningControl, ring: Ring) -> None:
    ring.consume([made(number, total_us=100_000, in_time=number > 4) for number in range(20)])
    ring.consume([made(30, route="labels", rung="error", outcome="failed", stream=False)])
    found = control.ask("/overview?window_s=120").json
    support = next(route for route in found["routes"] if route["route"] == "support")
    assert (support["requests"], support["measured"], support["in_time"]) == (20, 20, 15)
    assert support["in_time_ratio"] == 0.75
    assert support["in_time_low"] < 0.75 < support["in_time_high"]
    assert support["first_content_budget_ms"] == 1_500
    assert support["first_content"]["n"] == 20
    assert support["first_content"]["p50_ms"] == pytest.approx(1_241, rel=0.026)
    assert support["whole"] is None
    assert found["total"]["rungs"] == {"error": 1, "live": 20}
    assert found["step_s"] == 1
    assert len(found["points"]) == 120
    assert sum(point["requests"] for point in found["points"]) == 21
    only = control.ask("/overview?window_s=120&route=labels").json
    assert sum(point["requests"] for point in only["points"]) == 1
    older = control.ask("/overview?window_s=10").json
    assert older["total"]["requests"] == 0


def test_upstreams_are_as_the_gateways_see_them(control: RunningControl) -> None:
    found = control.ask("/overview").json["upstreams"]
    known = {(one["provider"], one["model"]): one for one in found}
    assert known["backup", "gpt-slow"]["health"]["share"] == 0.25
    assert known["openai", "gpt-fast"]["health"] is None  # unknown, not healthy


def test_a_restart_knows_what_ran_before(control: RunningControl) -> None:
    ship(control.store, [made(number) for number in range(5)])
    ring = Ring(NOON_S + 60)
    refill(ring, control.store, NOON_S + 60)
    assert sum(cell.requests for _, _, cell in ring.between(0, round(NOON_S) + 99)) == 5
    assert ring.since_s == NOON_S + 60 - 3_600


@pytest.mark.parametrize("query", ["window_s=9", "window_s=3601", "window_s=soon"])
def test_a_window_that_is_none_is_refused(control: RunningControl, query: str) -> None:
    assert control.ask(f"/overview?{query}").status == 422
