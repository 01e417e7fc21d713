"""What a route is expected to do while every model of one provider fails. Pure.

It is the planner's own plan with the breakers of that provider open: what the ladder comes to once
the failure is known. Until then each request may try a model of it first.
"""

from typing import Literal, NamedTuple

import msgspec

from steadyhand.routing.planning.forecast import plan
from steadyhand.routing.planning.replay import name_of
from steadyhand.routing.planning.situation import NEVER_US, Candidate, Situation


class Prediction(NamedTuple):
    """What one route is expected to do.

    Attributes:
        route: Its name.
        is_touched: Whether any of its rungs is at the provider.
        speaker: Rung that is expected to speak; ``floor`` if none is left.
        who: Its deployment, or its kind.
        certainty: ``may`` for a stored rung, which speaks only if it has an answer.
        floor_at_ms: When the floor speaks at the latest; ``None`` without a deadline.
        sentence: The same in words.
    """

    route: str
    is_touched: bool
    speaker: str
    who: str
    certainty: Literal["will", "may"]
    floor_at_ms: float | None
    sentence: str


def predicted(route: str, floor: str, provider: str, situation: Situation) -> Prediction:
    """Return what ``route``, whose floor is of kind ``floor``, is expected to do."""
    is_touched = any(_is_at(provider, one) for one in situation.candidates)
    candidates = tuple(
        msgspec.structs.replace(one, health="open") if _is_at(provider, one) else one
        for one in situation.candidates
    )
    planned = plan(msgspec.structs.replace(situation, candidates=candidates))
    floor_at_ms = None if planned.floor_at_us >= NEVER_US else planned.floor_at_us / 1_000
    able = [candidates[step.candidate] for step in planned.steps if step.action != "skip"]
    live = next((one for one in able if one.is_live), None)
    stored = [name_of(one) for one in able if not one.is_live]
    if not is_touched:
        said = f"{route} does not use {provider}: nothing changes"
    elif live is not None:
        said = f"{name_of(live)} answers in its place"
    elif stored:
        said = f"what is known answers ({', then '.join(stored)}); a new question gets the floor"
    else:
        said = f"the floor ({floor}) answers everything"
    if live is not None:
        return Prediction(route, is_touched, "live", name_of(live), "will", floor_at_ms, said)
    if stored:
        return Prediction(route, is_touched, stored[0], stored[0], "may", floor_at_ms, said)
    return Prediction(route, is_touched, "floor", floor, "will", floor_at_ms, said)


def _is_at(provider: str, candidate: Candidate) -> bool:
    return candidate.is_live and candidate.provider == provider
