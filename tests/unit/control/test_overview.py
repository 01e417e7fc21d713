"""The live page's numbers: steps that fit a chart, intervals of shares, nothing out of nothing."""

import pytest

from steadyhand.control.overview import MOST_POINTS, point_view, route_view, step_for, wilson
from steadyhand.routing.model import SloClass
from steadyhand.telemetry.ring import SPAN_S, Cell


@pytest.mark.parametrize("window_s", [10, 60, 121, 300, 900, SPAN_S])
def test_a_chart_has_no_more_points_than_it_can_show(window_s: int) -> None:
    assert window_s / step_for(window_s) <= MOST_POINTS


def test_the_interval_of_a_share_is_wilsons() -> None:
    # Table I of Newcombe (1998), Statistics in Medicine 17:857-872: 81 of 263, and 0 of 20.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(20, 20)[1] == 1.0


def test_nothing_counted_is_nothing_said() -> None:
    found = route_view("support", Cell(), SloClass("instant", 0, 150, 10_000))
    assert found.in_time_ratio is None
    assert found.in_time_low is None
    assert found.whole is None
    assert found.first_content is None
    assert found.first_content_budget_ms is None
    assert found.whole_budget_ms == 150
    point = point_view(1, Cell())
    assert point.at_us == 1_000_000
    assert point.in_time_ratio is None
    assert point.whole_p95_ms is None
