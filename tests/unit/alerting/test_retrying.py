"""When a message is sent again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.alerting.retrying import (
    GIVEN_UP_S,
    LONGEST_S,
    LONGEST_WISH_S,
    is_given_up,
    next_try_s,
)


def test_tries_come_twice_as_far_apart_each_time() -> None:
    assert [next_try_s(number, 100, None, 1.0) - 100 for number in (1, 2, 3, 4)] == [2, 4, 8, 16]


@given(st.integers(1, 10_000), st.floats(0, 1), st.none() | st.floats(0, 1e9))
def test_no_wait_is_longer_than_what_a_receiver_may_ask(
    attempts: int, draw: float, wish_s: float | None
) -> None:
    wait_s = next_try_s(attempts, 0, wish_s, draw)
    assert 1.0 <= wait_s <= max(LONGEST_S, min(wish_s or 0, LONGEST_WISH_S))


def test_a_receivers_wish_is_heard() -> None:
    assert next_try_s(1, 0, 60, 0.5) == 60


@pytest.mark.parametrize(("age_s", "given_up"), [(0, False), (GIVEN_UP_S, True)])
def test_after_a_day_it_is_given_up(age_s: float, given_up: bool) -> None:
    assert is_given_up(0, age_s) is given_up
