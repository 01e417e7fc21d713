"""What happened on a recorded climb, event by event, with the names of who it happened to. Pure."""

from typing import NamedTuple

from steadyhand.routing.planning.decision import DecisionUnreadable, decode_decision
from steadyhand.routing.planning.situation import FLOOR


class Step(NamedTuple):
    """One event.

    Attributes:
        at_us: Microseconds after the last byte of the request.
        event: See :data:`~steadyhand.routing.planning.situation.EventKind`.
        detail: A named reason, or empty.
        kind: Of the rung; empty for the floor.
        provider: Name in the workspace, or empty.
        model: The deployment's model, or empty.
        place: Of the candidate in its line-up; -1 for the floor.
    """

    at_us: int
    event: str
    detail: str
    kind: str
    provider: str
    model: str
    place: int


def timeline(decision: bytes) -> tuple[Step, ...]:
    """Return the events of ``decision`` in order; nothing if it cannot be read."""
    try:
        made = decode_decision(decision)
    except DecisionUnreadable:
        return ()
    candidates = made.lineup.candidates
    found = []
    for event in made.events:
        if event.candidate == FLOOR:
            who = ("", "", "")
        else:
            one = candidates[event.candidate]
            who = (one.kind, one.provider, one.model)
        found.append(Step(event.at_us, event.kind, event.detail, *who, event.candidate))
    return tuple(found)
