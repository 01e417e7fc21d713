"""Who gets a candidate, and whom it is compared with."""

from collections import Counter
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.routing.exposure import (
    HALF,
    MOST_COLD,
    WHOLE,
    Lease,
    Slices,
    assigned,
    is_exposed,
    scope,
    slices,
)

UNITS = st.text(max_size=20)
WEIGHTS = st.integers(0, WHOLE)


@pytest.mark.parametrize(
    ("weight", "size", "controls"),
    [
        (0, 0, 0),
        (500, 500, 3),
        (1_000, 1_000, 3),
        (1_250, 1_250, 3),
        (1_251, 1_251, 2),
        (2_500, 2_500, 1),
        (5_000, 5_000, 1),
        (5_001, 4_999, 1),
        (9_500, 500, 1),
        (WHOLE, 0, 0),
    ],
)
def test_slices_of_a_weight(weight: int, size: int, controls: int) -> None:
    assert slices(weight) == Slices(weight, size, controls)


@given(WEIGHTS)
def test_slices_fit_and_leave_most_of_the_cache_warm(weight: int) -> None:
    cut = slices(weight)
    assert cut.weight + cut.size * cut.controls <= WHOLE
    if cut.controls > 1:
        assert (1 + cut.controls) * cut.size <= MOST_COLD


@given(UNITS, UNITS, WEIGHTS, WEIGHTS)
def test_more_weight_takes_nobody_back(salt: str, unit: str, one: int, other: int) -> None:
    less, more = sorted((one, other))
    if assigned(salt, slices(less), unit).arm == "candidate":
        assert assigned(salt, slices(more), unit).arm == "candidate"
    assert assigned(salt, slices(0), unit).arm == "stable"
    assert assigned(salt, slices(WHOLE), unit).arm == "candidate"


@given(UNITS, UNITS, WEIGHTS)
def test_a_unit_is_always_where_it_was(salt: str, unit: str, weight: int) -> None:
    found = assigned(salt, slices(weight), unit)
    assert found == assigned(salt, slices(weight), unit)
    assert found.salt == salt
    assert 0 <= found.unit < 1 << 53
    assert found.part < max(1, found.slices.controls)
    assert (found.part >= 0) >= (found.arm == "control")


def test_slices_are_of_one_size_and_salts_draw_apart() -> None:
    count, cut = 40_000, slices(500)
    found = Counter(
        (one.arm, one.part) for one in (assigned("a", cut, f"u{n}") for n in range(count))
    )
    wanted = count * 0.05
    for place in (("candidate", 0), ("control", 0), ("control", 1), ("control", 2)):
        assert abs(found[place] - wanted) < 5 * sqrt(wanted)
    assert found["stable", -1] == count - sum(found.values()) + found["stable", -1]
    drawn = {
        salt: {n for n in range(count) if assigned(salt, cut, f"u{n}").arm == "candidate"}
        for salt in ("a", "b")
    }
    both = len(drawn["a"] & drawn["b"])
    assert abs(both - count * 0.0025) < 5 * sqrt(count * 0.0025)


def test_numbers_of_units_say_nothing_across_salts() -> None:
    one = {assigned("a", slices(500), f"u{n}").unit for n in range(1_000)}
    other = {assigned("b", slices(500), f"u{n}").unit for n in range(1_000)}
    assert len(one) == 1_000
    assert not one & other


def test_a_lease_covers_what_is_not_drained() -> None:
    lease = Lease(2_000, frozenset({"off"}))
    assert is_exposed("on", 1_999, lease)
    assert not is_exposed("on", 2_000, lease)
    assert not is_exposed("off", 1_000, lease)
    assert not is_exposed("on", 1_000, Lease())


def test_every_compared_slice_has_a_cache_of_its_own() -> None:
    early, late = slices(500), slices(9_500)
    names = [
        scope("s", "candidate", early, 0),
        *(scope("s", "control", early, part) for part in range(3)),
        scope("s", "candidate", late, 0),
        scope("s", "control", late, 0),
    ]
    assert len(set(names)) == len(names)
    assert scope("s", "stable", early, -1) == ""
    # what the candidate has warmed goes on when it gets nearly everything
    assert scope("s", "candidate", slices(HALF), 0) == scope("s", "candidate", late, -1) == "s"
