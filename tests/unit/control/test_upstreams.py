from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.control.upstreams import Attempted, percentile, summarise


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.5, None),
        ([7], 0.95, 7),
        ([3, 1, 2], 0.5, 2),
        ([1, 2, 3, 4], 0.5, 2),
        (list(range(1, 101)), 0.95, 95),
    ],
)
def test_a_percentile_is_a_value_that_was_seen(
    values: Sequence[float], share: float, expected: float | None
) -> None:
    assert percentile(values, share) == expected


@given(st.lists(st.integers(0, 10**6), min_size=1), st.floats(0.01, 1.0))
def test_enough_values_lie_at_or_below_a_percentile(values: list[int], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9


def test_failures_are_counted_by_reason_and_do_not_make_latencies() -> None:
    seen = [
        Attempted("openai", "m", "", "ok", 100_000, 3),
        Attempted("openai", "m", "", "ok", 300_000, 1),
        Attempted("openai", "m", "", "rate_limited", 1_000, 5),
        Attempted("openai", "m", "", "gave_up", 800_000, 4),
        Attempted("openai", "m", "", "rate_limited", 1_000, 2),
    ]
    view = summarise("m", "", None, seen)
    assert (view.succeeded, view.failed) == (2, 3)
    assert view.failures == {"rate_limited": 2, "gave_up": 1}
    assert (view.latency_p50_ms, view.latency_p95_ms) == (100, 300)
    assert (view.last_reason, view.last_at_us) == ("rate_limited", 5)


def test_a_deployment_that_was_not_tried_has_no_numbers() -> None:
    view = summarise("m", "", None, [])
    assert (view.succeeded, view.failed, view.latency_p50_ms, view.last_reason) == (0, 0, None, "")
