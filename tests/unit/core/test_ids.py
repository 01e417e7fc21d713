"""Request ids sort by time and never repeat, across seconds and across processes."""

import re

from hypothesis import given
from hypothesis import strategies as st

from steadyhand.core.ids import RequestIds, base32

TAGS = st.integers(0, 2**40 - 1)


@given(st.integers(0, 2**40 - 1), st.integers(0, 2**40 - 1))
def test_base32_sorts_like_the_numbers(one: int, other: int) -> None:
    assert (base32(one, 8) < base32(other, 8)) == (one < other)
    assert len(base32(one, 8)) == 8


@given(TAGS, st.lists(st.integers(0, 3), min_size=1, max_size=60))
def test_ids_sort_in_order_of_making_and_are_unique(tag: int, steps: list[int]) -> None:
    clock = iter([1_700_000_000.25 + sum(steps[: i + 1]) for i in range(len(steps))])
    ids = RequestIds(tag, lambda: next(clock))
    made = [ids.next() for _ in steps]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


@given(TAGS, TAGS)
def test_two_processes_share_no_id(one: int, other: int) -> None:
    made = [RequestIds(tag, lambda: 1_700_000_000.0).next() for tag in (one, other)]
    assert (made[0] == made[1]) == (one == other)


def test_the_form_is_fixed() -> None:
    assert re.fullmatch(
        r"req_[0-9a-hjkmnp-tv-z]{8}0000001[0-9a-hjkmnp-tv-z]{8}",
        RequestIds(12345, lambda: 1_700_000_000.0).next(),
    )
