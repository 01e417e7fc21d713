"""Which requests are good."""

import pytest

from steadyhand.objectives.model import KINDS, Kind, Objective, is_good
from steadyhand.records.prices import Price
from steadyhand.records.record import DRILL, Record
from tests.support.records import record

PRICES = {("acme", "acme-small"): Price(1.0, 1.0)}


def judged(kind: Kind, found: Record, **terms: float) -> bool | None:
    objective = Objective(
        "support",
        kind,
        0.99,
        threshold_us=int(terms.get("threshold_us", 0)),
        most_usd=terms.get("most_usd", 0.0),
    )
    return is_good(objective, found, PRICES)


@pytest.mark.parametrize(
    ("outcome", "status", "good"),
    [
        ("answered", 200, True),
        ("floor", 200, True),
        ("failed", 503, False),
        ("truncated", 200, False),
        ("interrupted", 0, False),
        ("client_gone", 499, None),
        ("rejected", 400, None),
        ("rejected", 503, False),
    ],
)
def test_availability_is_a_valid_answer_of_whatever_rung(
    outcome: str, status: int, good: bool | None
) -> None:
    assert judged("availability", record(outcome=outcome, status=status)) is good


def test_in_time_counts_requests_with_a_budget() -> None:
    assert judged("in_time", record()) is True
    assert judged("in_time", record(in_time=False)) is False
    assert judged("in_time", record(outcome="failed", in_time=True)) is True
    assert judged("in_time", record(budget_us=0)) is None
    assert judged("in_time", record(outcome="rejected")) is None


def test_latency_is_to_the_first_content_of_a_stream_or_to_the_whole_answer() -> None:
    assert judged("latency", record(), threshold_us=210_000) is True
    assert judged("latency", record(), threshold_us=209_999) is False
    assert judged("latency", record(stream=True), threshold_us=200_000) is True
    assert judged("latency", record(outcome="failed"), threshold_us=1) is None


def test_a_floor_is_no_answer() -> None:
    assert judged("answered", record()) is True
    assert judged("answered", record(outcome="floor", rung="template")) is False
    assert judged("answered", record(outcome="client_gone")) is None


def test_cost_counts_where_prices_are_known() -> None:
    assert judged("cost", record(), most_usd=1.0) is True
    assert judged("cost", record(), most_usd=1e-9) is False
    assert judged("cost", record(model="unknown"), most_usd=1.0) is None
    assert judged("cost", record(outcome="rejected"), most_usd=1.0) is None


def test_grounded_is_told_by_samples_not_by_records() -> None:
    assert judged("grounded", record()) is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_drill_counts_for_nothing(kind: Kind) -> None:
    assert judged(kind, record(wire=DRILL), threshold_us=1, most_usd=1.0) is None


def test_a_budget_is_what_the_target_leaves() -> None:
    assert Objective("support", "in_time", 0.999).budget_ratio == pytest.approx(0.001)
