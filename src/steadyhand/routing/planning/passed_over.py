"""Which rungs a recorded climb planned around before something spoke, and why. Pure.

Counted of records, so that it shows how often each rule of the planner was exercised.
"""

from typing import NamedTuple

from steadyhand.routing.planning.decision import DecisionUnreadable, decode_decision
from steadyhand.routing.planning.forecast import why_not
from steadyhand.routing.planning.progress import BEGINNINGS, progress_of
from steadyhand.routing.planning.situation import FLOOR

UNTOLD = frozenset({"not_reached", "spare"})
"""Reasons that say nothing about a rung: its turn never came, or it is there for hedges only."""


class PassedOver(NamedTuple):
    """One candidate that had its turn and was not asked."""

    kind: str
    provider: str
    model: str
    reason: str


def passed_over(decision: bytes) -> tuple[PassedOver, ...]:
    """Return the candidates that ``decision`` planned around before it spoke.

    Nothing, if nothing spoke, or if it cannot be read.
    """
    try:
        made = decode_decision(decision)
    except DecisionUnreadable:
        return ()
    spoke = [event for event in made.events if event.kind == "spoke"]
    if not spoke:
        return ()
    speaker, at_us = spoke[0].candidate, spoke[0].at_us
    candidates = made.lineup.candidates
    asked = {event.candidate for event in made.events if event.kind in BEGINNINGS}
    turns = range(len(candidates) if speaker == FLOOR else speaker)
    silent = [place for place in turns if place not in asked]
    if not silent:
        return ()
    progress = progress_of(made.situation, made.events)
    found = []
    for place in silent:
        reason = why_not(progress, place, speaker, at_us)
        if reason not in UNTOLD:
            one = candidates[place]
            found.append(PassedOver(one.kind, one.provider, one.model, reason))
    return tuple(found)
