"""Counters over time, and their increase."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.objectives.series import DAY_S, HOUR_S, Counted, Series


def steady(until_s: int, each_s: int, per_s: float = 10.0, bad: float = 0.1) -> Series:
    series = Series(30 * DAY_S)
    for at_s in range(0, until_s + 1, each_s):
        series.add(at_s, at_s * per_s, at_s * per_s * bad)
    return series


def test_the_increase_of_a_steady_counter_is_its_rate_times_the_window() -> None:
    found = steady(600, 15).increase(600, 300)
    assert found is not None
    assert found.events == pytest.approx(3_000)
    assert found.ratio == pytest.approx(0.1)


def test_a_series_that_began_inside_the_window_is_not_stretched_over_it() -> None:
    series = Series(DAY_S)
    for at_s, events in ((1_000, 50), (1_015, 80), (1_030, 110)):
        series.add(at_s, events, 0)
    found = series.increase(1_030, 3_600)
    assert found is not None
    # Half an interval before the first sample: 60 in 30 s, and 15 / 2 s more.
    assert found.events == pytest.approx(60 * 37.5 / 30)


def test_a_counter_is_not_thought_to_have_been_below_zero() -> None:
    series = Series(DAY_S)
    for at_s, events in ((100, 0), (115, 30), (130, 60)):
        series.add(at_s, events, 0)
    found = series.increase(135, 300)
    assert found is not None
    assert found.events == pytest.approx(60 * 35 / 30)


def test_less_than_two_samples_say_nothing() -> None:
    series = Series(DAY_S)
    assert series.increase(10, 300) is None
    series.add(0, 0, 0)
    assert series.increase(10, 300) is None
    assert series.since(10, 300) == Counted(0, 0)
    assert Series(DAY_S).since(10, 300) == Counted(0, 0)
    assert Counted(0, 0).ratio is None


def test_a_clock_that_was_set_back_leaves_a_gap_and_no_lie() -> None:
    series = steady(600, 15)
    before = len(series)
    series.add(300, 7_000, 0)
    assert len(series) == before
    found = series.increase(600, 300)
    assert found is not None
    assert found.events == pytest.approx(3_000)


def test_what_was_counted_since_is_exact() -> None:
    found = steady(600, 15).since(600, 300)
    assert found.events == pytest.approx(3_150)  # from the last sample before the window on
    assert found.bad == pytest.approx(315)
    assert steady(600, 15).since(600, 10_000).events == 6_000


def test_a_month_costs_some_thousand_samples_and_says_the_same() -> None:
    series = steady(31 * DAY_S, 15)
    assert len(series) < 3_000
    for window_s in (300, HOUR_S, 6 * HOUR_S, 3 * DAY_S):
        found = series.increase(31 * DAY_S, window_s)
        assert found is not None
        assert found.events == pytest.approx(window_s * 10, rel=0.01)
    assert series.since(31 * DAY_S, 30 * DAY_S).events == pytest.approx(30 * DAY_S * 10, rel=0.01)
    assert series.samples()[-1][0] == 31 * DAY_S


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=60))
def test_bad_ones_are_never_more_than_all(steps: list[tuple[int, int]]) -> None:
    series, events, bad = Series(DAY_S), 0, 0
    for number, (good, worse) in enumerate(steps):
        events, bad = events + good + worse, bad + worse
        series.add(number * 15, events, bad)
    found = series.since(len(steps) * 15, DAY_S)
    assert 0 <= found.bad <= found.events
