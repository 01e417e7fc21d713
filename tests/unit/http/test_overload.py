"""Overload: nothing is refused without a standing queue, and then as little as needed."""

from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st

from steadyhand.http.overload import (
    ALWAYS_ADMITTED,
    IN_FLIGHT,
    LOOP_LAG,
    Overload,
    OverloadLimits,
)
from tests.support.examples import in_proportion

TARGET_S, INTERVAL_S = 0.025, 0.25
MANY = ALWAYS_ADMITTED + 1000


def overload(*, target_s: float = TARGET_S, max_in_flight: int = 100_000) -> Overload:
    return Overload(OverloadLimits(target_s, INTERVAL_S, max_in_flight))


def lagging(requests: int = 1000) -> Overload:
    """Return one that has just begun to shed, at 0.1 s a turn."""
    made = overload()
    now_s = 0.0
    while not made.is_lagging:
        now_s += 0.1
        made.sampled(now_s, 0.1, requests)
    return made


def test_long_turns_count_only_if_they_last() -> None:
    calm = overload()
    for step in range(100):
        calm.sampled(step * 0.1, 0.06 if step % 5 == 0 else 0.001, 10)
    assert not calm.is_lagging
    assert calm.refusal(MANY) == ""


def test_a_standing_queue_is_noticed_after_the_interval() -> None:
    made = overload()
    seen = []
    for step in range(20):
        made.sampled(step * 0.05, 0.1, 100)
        seen.append(made.is_lagging)
    first = seen.index(True)
    assert INTERVAL_S / 0.05 <= first <= INTERVAL_S / 0.05 + 4


def test_no_target_refuses_nothing() -> None:
    made = overload(target_s=inf)
    for step in range(100):
        made.sampled(step * 1.0, 10.0, 100)
    assert not made.is_lagging


def test_few_requests_are_never_refused_for_a_slow_loop() -> None:
    made = lagging()
    assert all(made.refusal(ALWAYS_ADMITTED - 1) == "" for _ in range(10_000))


def test_the_bound_on_requests_in_flight_needs_no_lag() -> None:
    made = overload(max_in_flight=5)
    assert made.refusal(4) == ""
    assert made.refusal(5) == IN_FLIGHT


def test_a_turn_admits_its_allowance_and_refuses_the_rest() -> None:
    made = lagging()
    allowed = int(made.allowance)
    judged = [made.refusal(MANY) for _ in range(allowed + 50)]
    assert judged.count("") == allowed
    assert judged[allowed:] == [LOOP_LAG] * 50


def simulate(
    offered_per_s: float, serve_s: float, refuse_s: float, turns: int
) -> tuple[float, float]:
    """Play a loop that is offered a steady load; return goodput over capacity, and its last turn.

    A turn takes what its requests cost; those that come meanwhile are judged in the next.
    """
    made = lagging(int(0.1 / serve_s))
    now_s = busy_s = served = 0.0
    turn_s = 0.1
    for turn in range(turns):
        arrived = int(offered_per_s * turn_s)
        admitted = sum(made.refusal(MANY) == "" for _ in range(arrived))
        refused = arrived - admitted
        turn_s = max(0.001, admitted * serve_s + refused * refuse_s)
        now_s += turn_s
        made.turned(now_s, turn_s, admitted, refused)
        if turn > turns // 2:
            served += admitted
            busy_s += turn_s
    return served / busy_s * serve_s, turn_s


@settings(max_examples=in_proportion(40))  # each plays 400 turns
@given(
    st.floats(1.2, 4.0),
    st.sampled_from([60e-6, 100e-6, 400e-6, 2e-3]),
    st.floats(0.02, 0.125),
)
def test_under_overload_the_loop_gives_nothing_away_and_turns_stay_short(
    share: float, serve_s: float, cost: float
) -> None:
    goodput, turn_s = simulate(share / serve_s, serve_s, serve_s * cost, turns=400)
    possible = (1 - share * cost) / (1 - cost)
    assert goodput >= 0.9 * possible
    assert turn_s <= 4 * TARGET_S


def test_shedding_ends_when_nothing_had_to_be_refused_for_an_interval() -> None:
    made, now_s = lagging(), 10.0
    for _ in range(20):
        now_s += 0.02
        made.turned(now_s, 0.02, 10, 5)
    assert made.is_lagging
    for _ in range(20):
        now_s += 0.02
        made.turned(now_s, 0.002, 1, 0)
    assert not made.is_lagging
    made.sampled(now_s, 0.1, 100)
    assert not made.is_lagging, "the next queue must stand for an interval, too"


def test_old_streams_alone_can_make_turns_too_long() -> None:
    """Long turns that admit next to nothing shrink the allowance to its least share."""
    made, now_s = lagging(), 10.0
    for _ in range(200):
        now_s += 0.3
        made.turned(now_s, 0.3, 1, 319)
    assert made.allowance <= 11
