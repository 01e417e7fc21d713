"""Who gets a candidate."""

from math import sqrt

from hypothesis import given
from hypothesis import strategies as st

from steadyhand.routing.exposure import WHOLE, Lease, assigned, place

UNITS = st.text(max_size=20)
NOW_US = 1_000
HELD_US = 2_000


@given(UNITS, UNITS)
def test_a_place_is_the_same_each_time_and_within_the_whole(salt: str, unit: str) -> None:
    assert place(salt, unit) == place(salt, unit)
    assert 0 <= place(salt, unit) < WHOLE


@given(UNITS, UNITS, st.integers(0, WHOLE), st.integers(0, WHOLE))
def test_more_weight_takes_nobody_back(salt: str, unit: str, one: int, other: int) -> None:
    less, more = sorted((one, other))
    if assigned(salt, less, unit, NOW_US, HELD_US) == "candidate":
        assert assigned(salt, more, unit, NOW_US, HELD_US) == "candidate"
    assert assigned(salt, 0, unit, NOW_US, HELD_US) == "stable"
    assert assigned(salt, WHOLE, unit, NOW_US, HELD_US) == "candidate"


@given(UNITS, UNITS, st.integers(0, WHOLE), st.integers(HELD_US, 1 << 60))
def test_without_a_lease_everybody_gets_the_stable_release(
    salt: str, unit: str, weight: int, now_us: int
) -> None:
    assert assigned(salt, weight, unit, now_us, HELD_US) == "stable"
    assert assigned(salt, weight, unit, now_us, Lease().until_us) == "stable"


def test_the_share_is_the_weight_and_salts_draw_apart() -> None:
    count, weight = 20_000, 500
    drawn = {
        salt: {n for n in range(count) if assigned(salt, weight, f"u{n}", 0, 1) == "candidate"}
        for salt in ("a", "b")
    }
    share = weight / WHOLE
    for found in drawn.values():
        assert abs(len(found) - count * share) < 5 * sqrt(count * share * (1 - share))
    both = len(drawn["a"] & drawn["b"])
    assert abs(both - count * share**2) < 5 * sqrt(count * share**2)
