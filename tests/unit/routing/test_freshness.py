"""What a kept answer may be used for at its age."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.routing.freshness import CLOCK_SKEW_S, Freshness

POLICY = Freshness(fresh_s=100, revalidate_s=20, stale_s=500)


@pytest.mark.parametrize(
    ("age_s", "use"),
    [
        (-CLOCK_SKEW_S - 1, "expired"),
        (-CLOCK_SKEW_S, "fresh"),
        (0, "fresh"),
        (99.9, "fresh"),
        (100, "revalidate"),
        (119.9, "revalidate"),
        (120, "stale"),
        (599.9, "stale"),
        (600, "expired"),
    ],
)
def test_ages(age_s: float, use: str) -> None:
    assert POLICY.use(age_s) == use


def test_a_route_that_keeps_nothing() -> None:
    assert Freshness(0, 0, 0).use(0) == "expired"


def test_stale_may_be_shorter_than_revalidate() -> None:
    policy = Freshness(10, 100, 5)
    assert [policy.use(age) for age in (9, 50, 109, 110)] == [
        "fresh",
        "revalidate",
        "revalidate",
        "expired",
    ]


ORDER = ["fresh", "revalidate", "stale", "expired"]


@given(
    st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e3), st.floats(0, 1e3), st.floats(0, 1e3)
)
def test_no_answer_gets_better_with_age(
    one_s: float, two_s: float, fresh_s: float, revalidate_s: float, stale_s: float
) -> None:
    policy = Freshness(fresh_s, revalidate_s, stale_s)
    uses = [ORDER.index(policy.use(age_s)) for age_s in sorted([one_s, two_s])]
    assert uses == sorted(uses)
