"""A healthier rung never makes the answer worse, and never later from the same rung.

The world in which this holds: every rung answers, and takes its *need* (a stored one: its 99th
percentile). Better is the order of preference: first who may start and usually makes it, then who
usually makes it but is shed or unproven, then who seldom makes it; within these the order of the
route.
"""

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from steadyhand.routing.planning.situation import FLOOR, Candidate, Cost, Situation
from steadyhand.routing.planning.standing import standing_of
from steadyhand.routing.planning.timing import is_known, makes_it, need_us
from tests.support.climbs import Says, climb, speaker
from tests.support.examples import in_proportion
from tests.unit.routing.planning.made import MS, situations

FEWER = settings(max_examples=in_proportion(60))
"""Each is two climbs."""

BUDGETS = st.sampled_from([150 * MS, 1_500 * MS, 10_000 * MS])
KINDS = ("cost", "health", "share", "is_proven", "barred")
NOBODY = (9, 9)


def learned(situation: Situation) -> bool:
    return all(is_known(one.cost) or not one.is_live for one in situation.candidates)


def world(situation: Situation) -> dict[int, Says]:
    """Return what each rung says: its answer, after its need."""
    return {
        place: Says(need_us(one.cost)) if one.is_live else Says(one.cost.p99_us, "ready", "fresh")
        for place, one in enumerate(situation.candidates)
    }


def outcome(situation: Situation) -> tuple[tuple[int, int], int]:
    """Return who answers, as (preference, place), and when."""
    heard = speaker(climb(situation, world(situation)))
    assert heard is not None
    place, at_us = heard
    if place == FLOOR:
        return NOBODY, 0
    one = situation.candidates[place]
    end_us = situation.budget_us - situation.policy.floor_reserve_us
    looks_us = sum(
        other.cost.p99_us
        for later, other in enumerate(situation.candidates)
        if later > place
        and not other.is_live
        and not standing_of(other, later, situation.draw).rank
    )
    fits = not one.is_live or makes_it(one, end_us - looks_us)
    suspect = standing_of(one, place, situation.draw).rank
    return (2 if not fits else 1 if suspect else 0, place), at_us


def healthier(one: Candidate, how: str, less: float) -> Candidate:
    if how == "cost":
        cost = one.cost
        quantiles = [int(q * less) for q in (cost.p50_us, cost.p90_us, cost.p99_us)]
        return replace(one, cost=Cost(*quantiles, cost.samples))  # type: ignore[call-arg]
    better = {"health": "closed", "share": 1.0, "is_proven": True, "barred": ""}
    return replace(one, **{how: better[how]})


@FEWER
@given(
    situations(BUDGETS).filter(learned),
    st.integers(0, 4),
    st.sampled_from(KINDS),
    st.floats(0, 1),
)
def test_a_healthier_rung_never_makes_the_answer_worse_or_the_same_later(
    situation: Situation, which: int, how: str, less: float
) -> None:
    candidates = situation.candidates
    assume(candidates)
    place = which % len(candidates)
    better = healthier(candidates[place], how, less)
    after = replace(situation, candidates=(*candidates[:place], better, *candidates[place + 1 :]))
    (who_before, before_us), (who_after, after_us) = outcome(situation), outcome(after)
    assert who_after <= who_before
    if who_after == who_before:
        assert after_us <= before_us


@FEWER
@given(situations(BUDGETS).filter(learned))
def test_the_first_that_usually_makes_it_answers_at_its_need(situation: Situation) -> None:
    (preference, place), at_us = outcome(situation)
    if preference == 0:
        one = situation.candidates[place]
        assert at_us == (need_us(one.cost) if one.is_live else one.cost.p99_us)
