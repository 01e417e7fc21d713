"""The hot tier is bounded in bytes, and one-time questions do not push out the others."""

import random

from hypothesis import given
from hypothesis import strategies as st

from steadyhand.caching.entry import Entry
from steadyhand.caching.hot import OVERHEAD_BYTES, HotTier

SIZE = OVERHEAD_BYTES + 400
TEXT = "x" * 400


def name(number: int) -> bytes:
    return number.to_bytes(32, "big")


def tier(entries: int) -> HotTier:
    return HotTier(entries * SIZE)


def test_it_gives_back_what_it_holds() -> None:
    hot = tier(3)
    entry = Entry(TEXT, 1)
    hot.put(name(1), entry)
    assert hot.get(name(1)) is entry
    assert hot.get(name(2)) is None
    assert (len(hot), hot.bytes) == (1, SIZE)


def test_the_newer_entry_replaces_the_older() -> None:
    hot = tier(3)
    hot.put(name(1), Entry(TEXT, 1))
    hot.put(name(1), Entry(TEXT * 2, 2))
    found = hot.get(name(1))
    assert found is not None
    assert found.made_us == 2
    assert (len(hot), hot.bytes) == (1, SIZE + 400)


def test_an_entry_larger_than_the_tier_is_not_held() -> None:
    hot = tier(1)
    hot.put(name(1), Entry(TEXT * 4, 1))
    assert (len(hot), hot.bytes, hot.evicted) == (0, 0, 0)


def test_no_bytes_hold_nothing() -> None:
    hot = HotTier(0)
    hot.put(name(1), Entry("", 1))
    assert len(hot) == 0


def test_characters_beyond_ascii_count_as_what_they_may_take() -> None:
    hot = tier(10)
    hot.put(name(1), Entry("\u00e9" * 400, 1))
    assert hot.bytes == OVERHEAD_BYTES + 1600


def test_cleared_it_holds_nothing() -> None:
    hot = tier(2)
    for number in range(5):
        hot.put(name(number), Entry(TEXT, 1))
    hot.clear()
    assert (len(hot), hot.bytes, hot.get(name(4))) == (0, 0, None)
    hot.put(name(9), Entry(TEXT, 1))
    assert hot.get(name(9)) is not None


def test_a_flood_of_one_time_questions_leaves_what_is_asked_often() -> None:
    hot = tier(100)
    for number in range(50):
        hot.put(name(number), Entry(TEXT, 1))
        for _ in range(3):
            hot.get(name(number))
    for number in range(1_000, 6_000):
        hot.put(name(number), Entry(TEXT, 1))
    assert all(hot.get(name(number)) is not None for number in range(50))
    assert hot.bytes <= hot.most_bytes


def test_what_comes_back_soon_after_it_left_is_kept_longer() -> None:
    hot = tier(10)
    for number in range(11):
        hot.put(name(number), Entry(TEXT, 1))
    assert hot.get(name(0)) is None
    hot.put(name(0), Entry(TEXT, 1))  # remembered: to the main queue at once
    for number in range(100, 105):
        hot.put(name(number), Entry(TEXT, 1))
    assert hot.get(name(0)) is not None


def test_of_those_asked_often_the_ones_not_asked_lately_go() -> None:
    hot = tier(10)
    for number in range(30):
        hot.put(name(number), Entry(TEXT, 1))
        for _ in range(3):
            hot.get(name(number))
    assert hot.evicted == 20
    held = [number for number in range(30) if hot.get(name(number))]
    assert held[-1] == 29
    hot.put(name(held[0]), Entry(TEXT * 2, 2))  # in the main queue by now
    assert hot.bytes <= hot.most_bytes


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30), st.integers(0, 1_500)), max_size=120))
def test_the_bound_and_the_sum_hold_whatever_happens(
    steps: list[tuple[bool, int, int]],
) -> None:
    hot = tier(8)
    latest: dict[bytes, Entry] = {}
    for is_put, number, length in steps:
        if is_put:
            latest[name(number)] = Entry("x" * length, number)
            hot.put(name(number), latest[name(number)])
        else:
            found = hot.get(name(number))
            assert found is None or found is latest[name(number)]
        held = [each for each in latest if each in hot._held]
        assert hot.bytes == sum(OVERHEAD_BYTES + len(latest[each].content) for each in held)
        assert hot.bytes <= hot.most_bytes
        assert len(hot) == len(held)
        assert sorted([*hot._small, *hot._main]) == sorted(held)
        assert len(hot._ghost) <= max(len(hot), 1) + 1


def test_it_keeps_more_of_a_skewed_trace_than_its_size_alone() -> None:
    chance = random.Random(7)
    hot, hits = tier(200), 0
    for _ in range(20_000):
        number = int(chance.paretovariate(0.9))
        if hot.get(name(number)) is None:
            hot.put(name(number), Entry(TEXT, 1))
        else:
            hits += 1
    assert hits > 18_000
