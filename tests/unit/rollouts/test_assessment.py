"""From counts to a verdict."""

from math import log
from typing import Any

import pytest
from msgspec.structs import replace

from steadyhand.rollouts.assessment import Situation, assess, enabled
from steadyhand.rollouts.counts import Counts, Step, Window
from steadyhand.rollouts.model import Policy

POLICY = Policy()
NOW_S = 10_000.0
SITUATION = Situation(now_s=NOW_S, step=0, step_s=NOW_S - 100, weight=500)
WELL = Window(450, 10)


def step(
    mine: int = 1_000,
    theirs: int = 3_000,
    bad: tuple[int, int] = (0, 0),
    metric: str = "slow",
    units: tuple[int, int] | None = None,
    weight: int = 500,
    controls: int = 3,
) -> Step:
    """Return a step in which all bad events were of one metric and one unit each."""
    events = {name: [*bad, 0, 0] for name in (metric, "any") if any(bad)}
    return Step(
        weight,
        controls,
        [mine, theirs, 0, 0],
        events,
        events,
        [*(units or (250, 250 * controls)), 0, 0],
    )


GOOD = step(mine=3_000, theirs=9_000, bad=(60, 180))


def counts(*steps: Step, **more: Any) -> Counts:
    """Return counts whose last seconds were well, unless it is said otherwise."""
    mine = sum(one.requests[0] for one in steps)
    told: dict[str, Any] = {
        "guarded": Window(mine, sum(one.events.get("any", [0])[0] for one in steps)),
        "candidate_short": Window(10, 0),
        "candidate_long": Window(45, 0),
        "control_short": Window(100, 2),
        "control_long": WELL,
        "candidate_second": int(NOW_S) - 1,
    }
    return Counts(steps, **(told | more))


def verdict(found: Counts, situation: Situation = SITUATION, policy: Policy = POLICY) -> str:
    made = assess(found, policy, situation).verdict
    return f"{made.decision}: {made.reason}"


def test_as_good_as_its_control_goes_on() -> None:
    assert verdict(counts(GOOD)) == "promote: no_worse"


def test_worse_than_its_control_is_taken_back() -> None:
    found = counts(step(bad=(40, 30)))
    made = assess(found, POLICY, SITUATION)
    assert made.verdict.reason == "worse_than_control"
    assert made.worse_all >= made.rolls_back_at == log(200)
    assert "(any)" in made.verdict.message
    worst = assess(counts(step(bad=(40, 30), metric="error")), POLICY, SITUATION)
    assert worst.worse["error"] == worst.worse["any"] > worst.worse["slow"]


def test_a_candidate_that_only_fails_over_is_taken_back() -> None:
    assert verdict(counts(step(bad=(60, 0), metric="fallback"))) == "roll_back: worse_than_control"


def test_a_rare_event_that_no_arm_has_is_no_obstacle_and_no_data_is() -> None:
    assert verdict(counts(step())) == "promote: no_worse"
    assert verdict(counts(step(mine=100, theirs=300))) == "inconclusive: gathering"
    assert verdict(counts(candidate_second=0), replace(SITUATION, step_s=NOW_S - 61)) == (
        "hold: no_data"
    )
    assert verdict(counts(candidate_second=0), replace(SITUATION, step_s=NOW_S - 59)) == (
        "inconclusive: gathering"
    )


def test_each_step_has_its_least_time_and_its_least_requests() -> None:
    good = counts(GOOD)
    early = replace(SITUATION, step_s=NOW_S - 59)
    assert verdict(good, early) == "inconclusive: dwelling"
    last = replace(SITUATION, step=3, weight=9_500)
    assert verdict(counts(GOOD, step(weight=9_500, controls=1)), last) == (
        "inconclusive: dwelling"
    ), "the last step bakes for longer"
    second = replace(SITUATION, step=1, weight=2_500)
    few = step(mine=49, theirs=49, weight=2_500, controls=1)
    assert verdict(counts(GOOD, few), second) == "inconclusive: dwelling"
    enough = step(mine=50, theirs=50, weight=2_500, controls=1)
    assert verdict(counts(GOOD, enough), second) == "promote: no_worse"


def test_what_cannot_be_told_in_time_is_said_to_be_so() -> None:
    long = replace(SITUATION, step_s=NOW_S - 3_601)
    made = assess(counts(step(mine=100, theirs=300, bad=(3, 9))), POLICY, long).verdict
    assert (made.decision, made.reason, made.pages) == ("inconclusive", "step_overdue", True)
    assert "not shown to be good in" in made.message
    few = counts(GOOD, step(mine=1, theirs=1, weight=2_500, controls=1))
    made = assess(few, POLICY, replace(long, step=1, weight=2_500)).verdict
    assert made.message.startswith("too few requests")


@pytest.mark.parametrize(
    ("control", "since_s", "wanted"),
    [
        (WELL, 31.0, "roll_back: slo_breached"),
        (WELL, 30.0, "inconclusive: slo_breach"),
        (Window(450, 100), 31.0, "hold: both_degraded"),
        (Window(10, 0), 31.0, "inconclusive: slo_breach"),
    ],
)
def test_a_breach_of_the_service_level_is_held_against_it_if_it_lasts_and_the_control_is_well(
    control: Window, since_s: float, wanted: str
) -> None:
    found = counts(
        step(mine=300, theirs=900, bad=(45, 135)),
        candidate_short=Window(10, 2),
        control_short=control,
        control_long=control,
    )
    assert verdict(found, replace(SITUATION, breach_s=NOW_S - since_s)) == wanted


def test_a_breach_that_is_not_proved_is_not_held_against_it() -> None:
    found = counts(step(mine=100, theirs=300, bad=(6, 15)), candidate_short=Window(10, 1))
    assert verdict(found, replace(SITUATION, breach_s=NOW_S - 40)) == "inconclusive: slo_breach"


def test_a_breach_begins_ends_and_is_seen_in_the_longer_window_when_there_is_little() -> None:
    def breach_s(**windows: Window) -> float:
        return assess(counts(step(), **windows), POLICY, SITUATION).breach_s

    assert breach_s(candidate_short=Window(10, 1)) == NOW_S
    assert breach_s(candidate_short=Window(20, 1)) == 0.0
    assert breach_s(candidate_short=Window(4, 4), candidate_long=Window(45, 2)) == 0.0
    assert breach_s(candidate_short=Window(4, 0), candidate_long=Window(45, 3)) == NOW_S
    assert breach_s(candidate_short=Window(), candidate_long=Window()) == 0.0


def test_an_unfair_comparison_holds_however_bad_it_looks() -> None:
    skewed = counts(step(bad=(60, 0), units=(500, 500)))
    made = assess(skewed, POLICY, SITUATION).verdict
    assert (made.decision, made.reason, made.pages) == ("hold", "sample_ratio_mismatch", True)
    judges = replace(SITUATION, judges=("v1", "v2"))
    assert verdict(counts(step(bad=(60, 0))), judges) == "hold: judge_changed"
    assert verdict(counts(GOOD), replace(judges, judges=("v1",))).startswith("promote")


def test_a_spent_error_budget_freezes_promotions_and_no_roll_back() -> None:
    tired = step(mine=3_000, theirs=9_000, bad=(180, 540))
    assert verdict(counts(tired)) == "hold: error_budget_spent"
    assert verdict(counts(step(bad=(120, 180)))) == "roll_back: worse_than_control"
    few = step(mine=3_000, theirs=150, bad=(0, 12))
    assert verdict(counts(few)) == "promote: no_worse", "of so few nothing is said"


def test_a_route_whose_budget_for_the_period_is_spent_waits() -> None:
    spent = replace(SITUATION, budget_left=-0.2)
    assert verdict(counts(GOOD), spent) == "hold: error_budget_spent"
    assert verdict(counts(step(bad=(120, 180))), spent) == "roll_back: worse_than_control"
    assert verdict(counts(GOOD), replace(SITUATION, budget_left=0.1)) == "promote: no_worse"


def test_cost_counts_only_under_a_cap() -> None:
    assert "over_cost" not in enabled(POLICY)
    capped = Policy(most_tokens=100)
    assert "over_cost" in enabled(capped)
    found = counts(step(bad=(60, 0), metric="over_cost"))
    assert verdict(found, policy=capped) == "roll_back: worse_than_control"


FIRST = replace(SITUATION, is_first=True, weight=10_000, step=3, step_s=NOW_S - 400)


def first(requests: int, bad: int, **more: Any) -> Counts:
    events = {"slow": [0, 0, 0, bad], "any": [0, 0, 0, bad]} if bad else {}
    one = Step(0, 0, [0, 0, 0, requests], events, events, [0, 0, 0, 0])
    return counts(one, **({"guarded": Window(requests, bad)} | more))


def test_a_first_release_is_held_against_the_service_level_alone() -> None:
    assert verdict(first(1_000, 20), FIRST) == "promote: no_worse"
    breached = first(1_000, 150, candidate_short=Window(100, 15), control_long=Window())
    assert verdict(breached, replace(FIRST, breach_s=NOW_S - 31)) == "roll_back: slo_breached"
    assert verdict(first(20, 1), FIRST) == "inconclusive: gathering"


GUARDED = Policy(counts_ungrounded=True)


def judged_step(bad: tuple[int, int], measured: tuple[int, int] = (300, 900)) -> Step:
    made = step(mine=3_000, theirs=9_000, bad=(60, 180))
    more = {"ungrounded": [*bad, 0, 0]}
    return replace(made, bad=made.bad | more, events=made.events | more, measured=[*measured, 0, 0])


def test_ungrounded_answers_take_a_candidate_back_where_they_count() -> None:
    worse = counts(judged_step(bad=(120, 60)))
    assert verdict(worse, policy=GUARDED) == "roll_back: worse_than_control"
    assert "ungrounded" in assess(worse, GUARDED, SITUATION).verdict.message
    assert verdict(worse).startswith("promote")
    assert "ungrounded" not in enabled(POLICY)
    assert verdict(counts(judged_step(bad=(60, 180))), policy=GUARDED).startswith("promote")


def test_a_candidate_must_be_shown_to_be_grounded_only_where_that_is_asked() -> None:
    asks = replace(GUARDED, least_measured=200)
    assert verdict(counts(judged_step((60, 180))), policy=asks).startswith("promote")
    few = counts(judged_step((0, 0), (199, 600)))
    made = assess(few, asks, SITUATION)
    assert made.verdict.reason == "gathering"
    assert made.verdict.message == "not yet shown to be good in ungrounded"
    assert made.no_worse["ungrounded"] == 0
    nothing = counts(GOOD)
    assert verdict(nothing, policy=asks) == "inconclusive: gathering"
    assert verdict(nothing, policy=GUARDED).startswith("promote")
    first = replace(SITUATION, is_first=True, weight=10_000)
    assert "ungrounded" not in assess(nothing, asks, first).no_worse


def test_without_the_guard_nothing_of_the_rule_is_another() -> None:
    plain, sampled = counts(GOOD), counts(replace(GOOD, measured=[10, 30, 0, 0]))
    assert assess(plain, POLICY, SITUATION) == assess(sampled, POLICY, SITUATION)
