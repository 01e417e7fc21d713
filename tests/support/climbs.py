"""An engine without a network: climbs a situation among rungs whose words are written down."""

from collections.abc import Mapping
from typing import NamedTuple

from steadyhand.routing.planning.planner import carried_out, decide
from steadyhand.routing.planning.progress import Progress
from steadyhand.routing.planning.situation import NEVER_US, Event, EventKind, Situation

BEGUN = {"start", "prepare", "hedge", "harvest"}


class Says(NamedTuple):
    """What a candidate says, so long after it was asked."""

    after_us: int
    kind: EventKind = "content"
    detail: str = ""


def climb(situation: Situation, says: Mapping[int, Says], now_us: int = 0) -> list[Event]:
    """Return the events of a climb; candidates that ``says`` leaves out are silent."""
    progress, events = Progress(situation), []
    due: dict[int, Event] = {}
    while True:
        for place in [one for one in due if due[one].at_us <= now_us]:
            events.append(due.pop(place))
            progress.note(events[-1])
        action = decide(progress, now_us)
        if action.kind == "stop":
            return events
        if action.kind == "wait":
            now_us = min([action.wake_us, *(event.at_us for event in due.values())])
            if now_us >= NEVER_US:
                return events
            continue
        events.append(carried_out(action, now_us))
        progress.note(events[-1])
        if action.kind == "give_up" and not situation.policy.lingers:
            due.pop(action.candidate, None)  # cancelled
        if action.kind in BEGUN and action.candidate in says:
            said = says[action.candidate]
            due[action.candidate] = Event(
                now_us + said.after_us, action.candidate, said.kind, said.detail
            )


def speaker(events: list[Event]) -> tuple[int, int] | None:
    """Return who spoke and when, or ``None``."""
    return next(((one.candidate, one.at_us) for one in events if one.kind == "spoke"), None)
