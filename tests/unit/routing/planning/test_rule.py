"""The rule of who may take how long, by example."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.routing.planning.forecast import plan
from steadyhand.routing.planning.planner import replan
from steadyhand.routing.planning.situation import NEVER_US, Candidate, Event, Situation
from steadyhand.routing.planning.timing import LEAST_STUCK_US
from steadyhand.routing.planning.timing import need_us as need_of
from tests.support.climbs import Says, climb, speaker
from tests.support.equal_shares import give_up_at
from tests.unit.routing.planning.made import MS, cost, live, situation, stored

FAST = cost(100, 200, 300)
SLOW = cost(600, 900, 1_500)


def told(one: Situation) -> list[tuple[int, str, float, float, str]]:
    """Return the plan in milliseconds: candidate, action, from, until, reason."""
    return [
        (step.candidate, step.action, step.start_us / MS, step.until_us / MS, step.reason)
        for step in plan(one).steps
    ]


def around(one: Situation) -> dict[int, str]:
    return {step.candidate: step.reason for step in plan(one).steps if step.action == "skip"}


# Nothing is known: equal shares.


@given(
    st.integers(20, 100_000), st.lists(st.none() | st.integers(1, 5_000), min_size=1, max_size=5)
)
def test_without_knowledge_each_gets_what_it_always_got(
    budget_ms: int, limits_ms: list[int | None]
) -> None:
    """The same as ADR 0007's function, whole milliseconds apart: each rung silent in turn."""
    rungs = [live(n, limit_us=(limit or 0) * MS) for n, limit in enumerate(limits_ms)]
    steps = plan(situation(budget_ms, *rungs, lingers=False)).steps
    now_s = 0.0
    for place, limit in enumerate(limits_ms):
        until_s = give_up_at(now_s, budget_ms / 1000, len(limits_ms) - place, limit)
        assert steps[place].until_us / 1e6 == pytest.approx(until_s, abs=0.0021 * len(limits_ms))
        now_s = steps[place].until_us / 1e6
        if steps[place].until_us >= (budget_ms - 10) * MS:
            break  # a limit took all that was left


def test_equal_shares_leave_out_whoever_may_not_start() -> None:
    one = situation(1_500, live(0, barred="tools"), live(1), live(2, health="open"), live(3))
    assert told(one)[:2] == [
        (1, "start", 0, 745, "planned_around"),
        (3, "start", 745, 1_490, "after_give_up"),
    ]
    assert around(one) == {0: "tools", 2: "open"}
    assert plan(one).reason == "equal_shares"


def test_no_deadline_gives_each_its_cap() -> None:
    one = situation(0, live(0), live(1, limit_us=400 * MS), live(2), cap_us=60_000 * MS)
    assert [step[2:4] for step in told(one)] == [(0, 60_000), (60_000, 60_400), (60_400, 120_400)]
    endless = situation(0, live(0, of=FAST), live(1))
    assert plan(endless).floor_at_us == NEVER_US
    assert around(endless) == {1: "not_reached"}
    assert plan(endless).reason == "no_deadline"


# Learned costs.


def test_what_the_later_need_is_put_aside_and_the_rest_is_the_firsts() -> None:
    one = situation(1_500, live(0, of=SLOW), live(1, of=FAST))
    assert [step[:4] for step in told(one)] == [(0, "start", 0, 1_190), (1, "start", 1_190, 1_490)]
    assert plan(one).reason == "learned_costs"


@pytest.mark.parametrize(
    ("budget_ms", "first_until_ms"),
    [
        (2_110, 600),  # twice its p99: it is stuck by then
        (810, 500),  # the second has its p99, the first the rest: there is no room for more
        (610, 300),  # both have their p99
        (500, 190),  # the second has its p99, the first the rest
        (350, 100),  # the first keeps its median, the second has the rest
        (200, 100),  # the same: 90 ms are not what the second needs, but it is a last resort
    ],
)
def test_median_first_then_the_others_then_the_rest(budget_ms: int, first_until_ms: int) -> None:
    fast = cost(100, 200, 300)
    first, second = plan(situation(budget_ms, live(0, of=fast), live(1, of=fast))).steps
    assert first.until_us // MS == first_until_ms
    assert second.start_us == first.until_us


def test_what_goes_to_others_is_theirs_in_order_at_their_turn() -> None:
    rungs = [live(n, of=cost(400, 500, 600)) for n in range(4)]
    steps = plan(situation(1_510, *rungs)).steps
    assert [step.start_us // MS for step in steps[:3]] == [0, 400, 800]
    assert steps[3].action == "skip"


def test_the_second_is_never_asked_so_early_that_it_overtakes_the_first() -> None:
    wide, narrow = cost(300, 900, 1_000), cost(100, 100, 900)
    one = situation(1_000, live(0, of=wide), live(1, of=narrow))
    need_us = need_of(wide)
    assert told(one)[0][3] == pytest.approx((need_us - 100 * MS) / MS, abs=0.01)
    both = climb(one, {0: Says(need_us), 1: Says(100 * MS)})
    assert speaker(both) == (0, need_us)


def test_who_would_be_cancelled_has_its_need_first() -> None:
    fast = cost(100, 200, 300)
    one = situation(250, live(0, of=fast), live(1, of=fast), lingers=False)
    assert told(one)[0][3] * MS == need_of(fast)
    roomy = situation(2_110, live(0, of=fast), live(1, of=fast), lingers=False)
    assert told(roomy)[0][3] == 600, "and is stuck after 2 × p99 only"


def test_a_healthy_rung_is_not_paid_twice_because_it_is_quick() -> None:
    quick = cost(1, 2, 4)
    first, second = plan(situation(1_500, live(0, of=quick), live(1, of=quick))).steps
    assert (first.until_us, second.start_us) == (LEAST_STUCK_US, LEAST_STUCK_US)
    tight, _ = plan(situation(64, live(0, of=quick), live(1, of=quick))).steps
    assert tight.until_us == LEAST_STUCK_US, "as long as the second has its p99"
    tighter, _ = plan(situation(54, live(0, of=quick), live(1, of=quick))).steps
    assert tighter.until_us == 40 * MS


def test_a_stored_answer_costs_nothing_so_it_speaks_earlier() -> None:
    one = situation(10_000, live(0, of=FAST), stored(1))
    assert told(one)[0][3] == 300, "its p99"
    both = situation(10_000, live(0, of=FAST), live(1, of=FAST), stored(2))
    assert told(both)[0][3] == 600


def test_a_few_samples_are_no_knowledge() -> None:
    one = situation(1_500, live(0, of=cost(100, 200, 300, samples=19)), live(1))
    assert told(one)[0][3] == 745


def test_an_instant_route_does_not_wait_for_a_slow_model() -> None:
    """150 ms, and a model that takes 600: cache and knowledge speak, or the floor at once."""
    one = situation(150, stored(0), live(1, of=SLOW), stored(2, "knowledge", 15), harvests=True)
    assert told(one) == [
        (0, "start", 0, 25, "first_choice"),
        (2, "start", 25, 55, "after_give_up"),
        (1, "harvest", 55, NEVER_US / MS, "too_slow_for_this_request"),
    ]
    assert plan(one).floor_at_us == 55 * MS
    bare = situation(150, live(0, of=SLOW))
    assert (plan(bare).floor_at_us, around(bare)) == (0, {0: "too_slow"})


def test_harvest_is_not_worth_it_once_there_is_a_fresh_answer() -> None:
    one = situation(150, stored(0), live(1, of=SLOW), harvests=True)
    fresh = climb(one, {0: Says(1_000, "ready", "fresh")})
    assert [event.kind for event in fresh] == ["started", "ready", "spoke"]
    stale = climb(one, {0: Says(1_000, "ready", "stale")})
    assert [event.kind for event in stale] == ["started", "ready", "harvested", "spoke"]
    missed = climb(one, {0: Says(1_000, "empty")})
    assert [event.kind for event in missed] == ["started", "empty", "harvested", "spoke"]


def test_a_rung_that_usually_misses_is_passed_over_but_is_a_last_resort() -> None:
    wide = cost(1_600, 2_400, 4_000)  # one in ten within 1,067 ms
    one = situation(1_500, live(0, of=wide), live(1, of=FAST))
    assert told(one)[0] == (1, "start", 0, 1_490, "planned_around")
    failed = climb(one, {1: Says(50 * MS, "failed", "overloaded")})
    assert (failed[2].candidate, failed[2].detail) == (0, "last_resort")
    narrow = cost(1_600, 1_700, 1_800)  # hardly ever within 1,490 ms
    assert plan(situation(1_500, live(0, of=narrow))).floor_at_us == 0


@pytest.mark.parametrize("state", [{"share": 0.2}, {"is_proven": False}])
def test_who_is_shed_or_unproven_is_asked_before_the_floor_speaks(state: dict[str, float]) -> None:
    suspect = live(0, of=FAST, **state)
    both = situation(1_500, suspect, live(1, of=FAST))
    assert told(both)[0][:2] == (1, "start")
    alone = situation(1_500, suspect)
    assert told(alone)[0] == (0, "start", 0, 1_490, "last_resort")
    with_stale = climb(situation(1_500, suspect, stored(1)), {1: Says(MS, "ready", "stale")})
    assert speaker(with_stale) == (1, MS), "a stale answer before a suspect"


def test_an_open_breaker_is_never_asked() -> None:
    one = situation(1_500, live(0, health="open"), live(1, health="half_open"))
    assert plan(one).floor_at_us == 0
    assert around(one) == {0: "open", 1: "half_open"}


def test_a_probe_has_what_nine_of_ten_need_and_no_more() -> None:
    probe = live(0, of=FAST, health="half_open", is_probe=True)
    one = situation(1_500, probe, live(1, of=FAST))
    assert told(one)[0] == (0, "start", 0, 200, "probe")


def test_each_candidate_draws_for_itself() -> None:
    halves = [live(n, of=FAST, share=0.5) for n in range(2)]
    lost = [
        sum(draw_place is None for draw_place in [speaker_of(halves, n / 200)]) for n in range(200)
    ]
    assert 0.1 < sum(lost) / 200 < 0.4, "a quarter, not a half, loses both"


def speaker_of(candidates: list[Candidate], draw: float) -> int | None:
    first = plan(situation(1_500, *candidates, draw=draw)).steps[0]
    return None if first.reason == "last_resort" else first.candidate


# Stored rungs.


def test_a_fresh_stored_answer_waits_for_its_turn() -> None:
    one = situation(10_000, live(0, of=FAST), stored(1))
    said = climb(one, {0: Says(250 * MS), 1: Says(MS, "ready", "fresh")})
    assert speaker(said) == (0, 250 * MS), "the live rung still had its time"
    silent = climb(one, {1: Says(MS, "ready", "fresh")})
    assert speaker(silent) == (1, 300 * MS), "its p99: it was stuck"
    failed = climb(one, {0: Says(20 * MS, "failed"), 1: Says(MS, "ready", "fresh")})
    assert speaker(failed) == (1, 21 * MS)


def test_stored_rungs_look_before_they_are_needed() -> None:
    one = situation(10_000, live(0, of=FAST), stored(1))
    assert told(one)[1][:3] == (1, "prepare", 200), "once the live one is slower than its p90"
    unknown = situation(1_500, live(0), stored(1))
    assert told(unknown)[1][:3] == (1, "prepare", 1_463), "in time, if nothing is known"
    behind = situation(10_000, live(0, of=FAST), stored(1), stored(2))
    found = climb(behind, {1: Says(0, "ready", "fresh")})
    assert not any(event.candidate == 2 for event in found), "one answer is enough"


def test_a_stale_answer_speaks_when_every_live_rung_had_its_time() -> None:
    one = situation(10_000, stored(0), live(1, of=FAST), live(2, of=FAST))
    stale = Says(MS, "ready", "stale")
    assert speaker(climb(one, {0: stale, 1: Says(100 * MS)})) == (1, 101 * MS)
    both = {0: stale, 1: Says(100 * MS, "failed"), 2: Says(100 * MS, "failed")}
    assert speaker(climb(one, both)) == (0, 201 * MS)
    (place, at_us) = speaker(climb(one, {0: stale})) or (None, inf)
    assert place == 0
    assert at_us < 1_300 * MS


def test_at_the_deadline_a_fresh_answer_speaks_before_a_stale_one() -> None:
    limited = live(0, limit_us=140 * MS)
    one = situation(150, limited, stored(1), stored(2))
    says = {1: Says(MS, "ready", "stale"), 2: Says(MS, "ready", "fresh")}
    assert speaker(climb(one, says)) == (2, 136 * MS), "4 ms are kept for two looks"


def test_a_machine_that_stalls_past_the_deadline_still_gives_the_best_it_has() -> None:
    one = situation(150, live(0), stored(1))
    events = [Event(0, 0, "started"), Event(0, 1, "started"), Event(MS, 1, "ready", "fresh")]
    action = replan(one, events, 400 * MS)
    assert (action.kind, action.candidate, action.reason) == ("speak", 1, "fresh_at_deadline")


# Late ones.


def test_a_rung_whose_time_is_up_may_still_be_the_first_to_speak() -> None:
    one = situation(1_500, live(0, of=SLOW), live(1, of=FAST))
    assert speaker(climb(one, {0: Says(1_250 * MS), 1: Says(290 * MS)})) == (0, 1_250 * MS)
    strict = situation(1_500, live(0, of=SLOW), live(1, of=FAST), lingers=False)
    heard = climb(strict, {0: Says(1_250 * MS, "failed", "cancelled"), 1: Says(290 * MS)})
    assert speaker(heard) == (1, 1_480 * MS)


def test_the_floor_waits_for_late_ones_only_while_there_is_time() -> None:
    one = situation(10_000, live(0, of=FAST), live(1, of=FAST))
    assert speaker(climb(one, {})) == (-1, 9_990 * MS)
    both = {0: Says(700 * MS, "failed"), 1: Says(900 * MS, "failed")}
    assert speaker(climb(one, both)) == (-1, 1_500 * MS)


# Hedges.


def hedged(**changes: object) -> Situation:
    first = live(0, of=FAST, may_hedge=True)
    return situation(1_500, first, live(0, of=FAST, **changes), live(1, of=FAST))


def test_a_slow_one_is_hedged_within_its_rung_after_about_its_p95() -> None:
    step = told(hedged())[1]
    assert step[:2] == (1, "hedge")
    assert 200 < step[2] < 300
    assert step[4] == "slow"
    assert told(hedged(is_spare=True))[1][:2] == (1, "hedge")


@pytest.mark.parametrize("state", [{"health": "open"}, {"share": 0.0}, {"barred": "residency"}])
def test_a_hedge_needs_a_partner_that_may_start(state: dict[str, object]) -> None:
    assert "hedge" not in [step.action for step in plan(hedged(**state)).steps]


def test_a_hedge_is_asked_for_once() -> None:
    events = climb(hedged(), {1: Says(20 * MS)})
    assert [event.kind for event in events] == ["started", "hedged", "content", "spoke"]
    both = climb(hedged(), {0: Says(300 * MS, "failed"), 1: Says(90 * MS, "failed")})
    assert [event.kind for event in both].count("hedged") == 1
    assert (both[-2].kind, both[-2].candidate) == ("started", 2)


def test_a_refused_hedge_is_not_asked_for_again() -> None:
    begun = Event(0, 0, "started")
    assert replan(hedged(), [begun], 250 * MS).kind == "hedge"
    refused = Event(250 * MS, 0, "no_hedge", "budget")
    action = replan(hedged(), [begun, refused], 250 * MS)
    assert (action.kind, action.candidate) == ("wait", 0)


def test_an_unknown_cost_is_not_hedged() -> None:
    one = situation(1_500, live(0, may_hedge=True), live(0))
    assert "hedge" not in [step.action for step in plan(one).steps]


def test_no_rung_at_all_is_the_floor_at_once() -> None:
    assert plan(situation(1_500)).floor_at_us == 0
    assert plan(situation(5, live(0))).floor_at_us == 0, "the reserve is all there is"
    assert around(situation(5, live(0))) == {0: "no_time"}
