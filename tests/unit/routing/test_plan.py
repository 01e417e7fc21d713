"""Time is shared among the rungs, never spent twice, and the floor keeps its own."""

from math import inf, isclose

from hypothesis import assume, given
from hypothesis import strategies as st

from steadyhand.routing.plan import FLOOR_RESERVE_S, give_up_at

NOW_S = st.floats(0, 1e6)
LEFT_S = st.floats(-10, 1e3)
RUNGS = st.integers(1, 10)
OWN_MS = st.none() | st.floats(0.1, 1e5)
NEAR = 1e-6  # seconds; what a float of a clock after months can tell apart


@given(NOW_S, LEFT_S, RUNGS, OWN_MS)
def test_no_rung_runs_into_the_floors_reserve(
    now_s: float, left_s: float, rungs: int, own_ms: float | None
) -> None:
    until_s = give_up_at(now_s, now_s + left_s, rungs, own_ms)
    reserved_s = now_s + left_s - FLOOR_RESERVE_S
    assert until_s <= max(reserved_s, now_s) + NEAR
    if reserved_s <= now_s:
        assert until_s <= now_s + NEAR, "nothing is left: the rung must not be started"


@given(NOW_S, LEFT_S, st.floats(0, 100), RUNGS, OWN_MS)
def test_more_time_left_never_gives_less(
    now_s: float, left_s: float, more_s: float, rungs: int, own_ms: float | None
) -> None:
    less = give_up_at(now_s, now_s + left_s, rungs, own_ms)
    assert give_up_at(now_s, now_s + left_s + more_s, rungs, own_ms) >= less - NEAR


@given(NOW_S, st.floats(0.02, 1e3), RUNGS)
def test_more_rungs_after_it_never_give_more(now_s: float, left_s: float, rungs: int) -> None:
    deadline_s = now_s + left_s
    assert give_up_at(now_s, deadline_s, rungs + 1) <= give_up_at(now_s, deadline_s, rungs) + NEAR


@given(NOW_S, LEFT_S)
def test_the_last_rung_gets_all_that_is_left(now_s: float, left_s: float) -> None:
    until_s = give_up_at(now_s, now_s + left_s, 1)
    assert isclose(until_s, now_s + left_s - FLOOR_RESERVE_S, abs_tol=NEAR)


@given(NOW_S, st.floats(0.02, 1e3), RUNGS)
def test_shares_of_rungs_that_use_them_up_make_the_whole(
    now_s: float, left_s: float, rungs: int
) -> None:
    deadline_s, at_s, shares = now_s + left_s, now_s, []
    for after in range(rungs, 0, -1):
        until_s = give_up_at(at_s, deadline_s, after)
        shares.append(until_s - at_s)
        at_s = until_s
    assert isclose(sum(shares), left_s - FLOOR_RESERVE_S, abs_tol=NEAR)
    assert max(shares) - min(shares) < NEAR, "shares are equal"


@given(NOW_S, st.floats(0.1, 1e3), st.integers(2, 10), st.floats(0, 1))
def test_what_a_rung_leaves_goes_to_those_after_it(
    now_s: float, left_s: float, rungs: int, used: float
) -> None:
    deadline_s = now_s + left_s
    share_s = give_up_at(now_s, deadline_s, rungs) - now_s
    failed_at_s = now_s + share_s * used
    assert give_up_at(failed_at_s, deadline_s, rungs - 1) - failed_at_s >= share_s - NEAR


@given(NOW_S, st.floats(0.02, 1e3), RUNGS, st.floats(0.1, 1e5))
def test_the_routes_own_limit_replaces_the_share(
    now_s: float, left_s: float, rungs: int, own_ms: float
) -> None:
    usable_s = left_s - FLOOR_RESERVE_S
    assume(usable_s > 0)
    until_s = give_up_at(now_s, now_s + left_s, rungs, own_ms)
    assert isclose(until_s - now_s, min(own_ms / 1000, usable_s), abs_tol=NEAR)


@given(NOW_S, RUNGS)
def test_without_a_deadline_only_the_routes_own_limit_counts(now_s: float, rungs: int) -> None:
    assert give_up_at(now_s, inf, rungs) == inf
    assert give_up_at(now_s, inf, rungs, 250) == now_s + 0.25
