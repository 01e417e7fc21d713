"""Windows and factors of burn rates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.objectives.windows import (
    APART,
    DAY_S,
    MONTH_S,
    SCRAPES,
    Burn,
    burns,
    count_windows,
    told,
    windows_s,
)


def test_a_month_has_the_windows_of_the_workbook() -> None:
    assert [tuple(pair) for pair in burns(MONTH_S, 15)] == [
        ("page", 3_600, 300, 14.4),
        ("page", 21_600, 1_800, 6.0),
        ("ticket", 86_400, 7_200, 3.0),
        ("ticket", 259_200, 21_600, 1.0),
    ]


def test_factors_of_a_week_are_made_anew_from_what_its_windows_became() -> None:
    for pair, part in zip(burns(7 * DAY_S, 15), (0.02, 0.05, 0.1, 0.1), strict=True):
        assert pair.factor == pytest.approx(max(1.0, part * 7 * DAY_S / pair.long_s), abs=1e-4)


@given(st.floats(3_600, 90 * DAY_S), st.floats(0.2, 60))
def test_every_period_gives_windows_that_can_be_evaluated_and_factors_that_can_fire(
    period_s: float, scrape_s: float
) -> None:
    for pair in burns(period_s, scrape_s):
        assert pair.short_s >= max(1, SCRAPES * scrape_s)
        assert pair.long_s >= APART * pair.short_s
        assert pair.factor >= 1
        for budget in (0.000_1, 0.01, 0.1, 0.5):
            assert 0 < pair.threshold_ratio(budget) <= 0.8


def test_a_lax_objective_can_still_fire() -> None:
    assert Burn("page", 3_600, 300, 14.4).threshold_ratio(0.1) == 0.8


def test_windows_come_once_and_few_requests_are_counted_over_the_longest() -> None:
    pairs = burns(MONTH_S, 15)
    assert windows_s(pairs) == [300, 1_800, 3_600, 7_200, 21_600, 86_400, 259_200]
    assert count_windows(pairs) == [("page", 21_600), ("ticket", 259_200)]


@pytest.mark.parametrize(
    ("seconds", "written"), [(4, "4s"), (90, "90s"), (300, "5m"), (7_200, "2h"), (259_200, "3d")]
)
def test_durations_are_written_as_prometheus_reads_them(seconds: int, written: str) -> None:
    assert told(seconds) == written
