"""Deadlines are points on a clock that somebody else reads."""

from math import inf

import pytest

from steadyhand.core.time import Deadline


@pytest.mark.parametrize(
    ("at_s", "now_s", "expected"), [(10.0, 4.0, 6.0), (10.0, 10.0, 0.0), (10.0, 11.0, 0.0)]
)
def test_what_remains_is_never_negative(at_s: float, now_s: float, expected: float) -> None:
    assert Deadline(at_s).remaining_s(now_s) == expected


def test_no_deadline_leaves_for_ever() -> None:
    assert Deadline(inf).remaining_s(1e9) == inf


@pytest.mark.parametrize(("one", "other"), [(1.0, 2.0), (2.0, 1.0), (1.0, 1.0), (1.0, inf)])
def test_the_earlier_of_two(one: float, other: float) -> None:
    assert Deadline(one).earlier(Deadline(other)).at_s == min(one, other)
