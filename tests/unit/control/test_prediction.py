"""What is expected while a provider fails: the planner's own plan, with its breakers open."""

from steadyhand.control.prediction import predicted
from steadyhand.routing.planning.situation import Candidate, Cost, Policy, Situation

MS = 1_000
COST = Cost(200 * MS, 400 * MS, 800 * MS, 500)
FAST = Candidate(0, "live", "openai", "gpt-fast", cost=COST)
SLOW = Candidate(1, "live", "backup", "gpt-slow", cost=COST)
KEPT = Candidate(2, "cache", cost=Cost(1 * MS, 3 * MS, 5 * MS))


def situation(*candidates: Candidate, budget_us: int = 1_500 * MS) -> Situation:
    return Situation(budget_us, False, 0.0, Policy(), candidates)


def test_another_model_answers_in_its_place() -> None:
    found = predicted("support", "template", "openai", situation(FAST, SLOW, KEPT))
    assert (found.speaker, found.who, found.certainty) == ("live", "backup/gpt-slow", "will")
    assert found.is_touched
    assert found.sentence == "backup/gpt-slow answers in its place"
    assert found.floor_at_ms is not None
    assert 0 < found.floor_at_ms <= 1_500


def test_without_another_what_is_known_may_answer() -> None:
    found = predicted("support", "template", "openai", situation(FAST, KEPT))
    assert (found.speaker, found.who, found.certainty) == ("cache", "cache", "may")
    assert "a new question gets the floor" in found.sentence


def test_the_floor_is_what_is_left() -> None:
    found = predicted("support", "template", "openai", situation(FAST))
    assert (found.speaker, found.who, found.certainty) == ("floor", "template", "will")
    assert found.sentence == "the floor (template) answers everything"


def test_a_route_that_does_not_use_it_goes_on() -> None:
    found = predicted("support", "template", "openai", situation(SLOW, budget_us=0))
    assert not found.is_touched
    assert (found.speaker, found.who) == ("live", "backup/gpt-slow")
    assert found.sentence == "support does not use openai: nothing changes"
    assert found.floor_at_ms is None
