"""The last hour, second by second: placed where it ended, bounded, and about right in quantiles."""

from collections import Counter
from random import Random

import pytest

from steadyhand.records.record import DRILL
from steadyhand.telemetry.ring import SPAN_S, Cell, Ring, bin_of, quantile_us
from tests.support.made_records import NOON_US, made

NOON_S = NOON_US // 1_000_000


def cells(ring: Ring, since_s: int = NOON_S - SPAN_S, until_s: int = NOON_S + 2 * SPAN_S) -> Cell:
    whole = Cell()
    for _, _, cell in ring.between(since_s, until_s):
        whole.merge(cell)
    return whole


def test_a_request_counts_in_the_second_in_which_it_was_over() -> None:
    ring = Ring(NOON_S)
    ring.consume([made(0, total_us=1_956_000), made(0, total_us=2_000_000, route="labels")])
    found = {(second - NOON_S, route) for second, route, _ in ring.between(0, NOON_S + 60)}
    assert found == {(1, "support"), (2, "labels")}
    assert ring.shipped_us == NOON_US + 2_000_000


def test_what_is_counted_of_a_request() -> None:
    ring = Ring(NOON_S)
    ring.consume(
        [
            made(0),
            made(1, stream=False, in_time=False, rung="template", outcome="floor"),
            made(2, outcome="rejected", rung="", budget_us=0),
            made(3, outcome="truncated", first_content_us=0),
            made(4, wire=DRILL),
        ]
    )
    found = cells(ring)
    assert (found.requests, found.measured, found.in_time) == (4, 3, 2)
    assert found.rungs == {"live": 2, "template": 1, "": 1}
    assert found.outcomes == {"answered": 1, "floor": 1, "rejected": 1, "truncated": 1}
    assert found.whole.total() == 1
    assert found.first.total() == 1


def test_it_holds_an_hour_and_no_more() -> None:
    ring = Ring(NOON_S)
    ring.consume([made(0), made(SPAN_S + 10), made(1)])  # the last comes too late to be shown
    assert cells(ring).requests == 1
    ring.consume([made(SPAN_S)])
    assert cells(ring).requests == 2


def test_it_tells_since_when_it_knows() -> None:
    ring = Ring(NOON_S)
    ring.refill([made(0)], NOON_S - 100)
    ring.refill([], NOON_S - 50)
    assert ring.since_s == NOON_S - 100


def test_what_was_read_does_not_change() -> None:
    ring = Ring(NOON_S)
    ring.consume([made(0)])
    (_, _, cell), *_ = ring.between(0, NOON_S + 60)
    ring.consume([made(0)])
    assert cell.requests == 1


@pytest.mark.parametrize("share", [0.0, 0.5, 0.95, 0.99, 1.0])
def test_quantiles_are_within_two_and_a_half_percent(share: float) -> None:
    draw = Random(7)
    values = sorted(int(draw.lognormvariate(12, 1)) + 1 for _ in range(2_000))
    found = quantile_us(Counter(bin_of(value) for value in values), share)
    exact = values[max(0, round(share * len(values)) - 1)]
    assert found == pytest.approx(exact, rel=0.026)


def test_nothing_has_no_quantile() -> None:
    assert quantile_us(Counter(), 0.5) is None
    assert bin_of(0) == 0
