"""Quantiles within the stated error; the old fades; what was left early is not an answer."""

from math import ceil
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.routing.costs import ERROR, HALF_LIFE_S, HALF_LIFE_SAMPLES, LEAST_US, CostSketch
from steadyhand.routing.planning.situation import UNKNOWN

NOW_S = 1_000.0


def sketch(times_us: list[int]) -> CostSketch:
    made = CostSketch()
    for time_us in times_us:
        made.add(time_us, NOW_S)
    return made


@given(st.lists(st.integers(LEAST_US, 10**8), min_size=1, max_size=30))
def test_a_quantile_is_near_a_time_of_its_rank(times_us: list[int]) -> None:
    """Few times hardly fade, so the rank is exact but for one place."""
    found = sketch(times_us).cost(NOW_S)
    ordered = sorted(times_us)
    for share, quantile in ((0.5, found.p50_us), (0.9, found.p90_us), (0.99, found.p99_us)):
        rank = ceil(share * len(ordered)) - 1
        near = ordered[max(0, rank - 1) : rank + 2]
        assert any(abs(quantile - one) <= ERROR * one + 1 for one in near)


@pytest.mark.parametrize("sigma", [0.1, 0.5, 1.0])
def test_quantiles_of_a_long_tail(sigma: float) -> None:
    random = Random(4)
    times_us = [int(random.lognormvariate(13, sigma) + LEAST_US) for _ in range(600)]
    found, ordered = sketch(times_us).cost(NOW_S), sorted(times_us)
    assert found.p50_us == pytest.approx(ordered[300], rel=0.1)
    assert ordered[520] <= found.p90_us <= ordered[560]
    assert ordered[580] <= found.p99_us <= ordered[599] * (1 + ERROR)


def test_nothing_is_known_of_nothing() -> None:
    assert CostSketch().cost(NOW_S) == UNKNOWN


@pytest.mark.parametrize(("time_us", "low", "high"), [(0, 0, 60), (10**12, 3 * 10**9, 4 * 10**9)])
def test_times_out_of_range_count_as_the_nearest(time_us: int, low: int, high: int) -> None:
    assert low <= sketch([time_us]).cost(NOW_S).p50_us <= high


def test_newer_times_take_over_without_a_gap() -> None:
    """A step: the median follows within a half-life, and there are samples all the time."""
    made = sketch([100_000] * 3_000)
    for count in range(HALF_LIFE_SAMPLES + 10):
        made.add(300_000, NOW_S)
        if count % 100 == 0:
            assert made.cost(NOW_S).samples > HALF_LIFE_SAMPLES
    assert made.cost(NOW_S).p50_us == pytest.approx(300_000, rel=ERROR)


def test_what_nobody_asks_any_more_is_forgotten() -> None:
    made = sketch([100_000] * 200)
    before = made.cost(NOW_S).samples
    assert made.cost(NOW_S + HALF_LIFE_S).samples == pytest.approx(before / 2, abs=1)
    assert made.cost(NOW_S + 20 * HALF_LIFE_S) == UNKNOWN
    assert made.cost(NOW_S + 1e7) == UNKNOWN
    made.add(5_000, NOW_S + 1e7)
    assert made.cost(NOW_S + 1e7).samples == 1


def test_weights_stay_finite() -> None:
    """Time makes new weights grow; they are scaled back, and nothing else changes."""
    made = CostSketch()
    for number in range(5_000):
        made.add(100_000, NOW_S + number // 5 * HALF_LIFE_S)
    assert made.cost(NOW_S + 1_000 * HALF_LIFE_S).p50_us == pytest.approx(100_000, rel=ERROR)


def test_a_clock_that_stands_still_or_goes_back_changes_nothing() -> None:
    made = sketch([100_000] * 50)
    before = made.cost(NOW_S)
    assert made.cost(NOW_S - 500) == before


def test_a_rung_that_is_always_left_is_slower_than_that() -> None:
    made = CostSketch()
    for _ in range(50):
        made.add_censored(700_000, NOW_S)
    found = made.cost(NOW_S)
    assert found.samples >= 48
    assert found.p50_us == pytest.approx(1_400_000, rel=ERROR)


def test_censored_times_make_the_tail_longer_not_the_median_shorter() -> None:
    made = sketch([100_000] * 70 + [900_000] * 20)
    for _ in range(30):
        made.add_censored(500_000, NOW_S)
    found = made.cost(NOW_S)
    assert found.p50_us == pytest.approx(100_000, rel=ERROR)
    assert found.p90_us == pytest.approx(900_000, rel=ERROR)


def test_a_tail_beyond_all_answers_is_said_to_be_longer() -> None:
    made = sketch([100_000] * 80)
    for _ in range(20):
        made.add_censored(500_000, NOW_S)
    found = made.cost(NOW_S)
    assert found.p50_us == pytest.approx(100_000, rel=ERROR)
    assert found.p90_us == found.p99_us == pytest.approx(1_000_000, rel=ERROR)
