"""Plan and re-plan a climb of the ladder: functions of what was recorded, and of the time.

``replan`` is all that the engine asks: with no events it says how to begin. It folds the events
into a state and answers with one action. The engine does it, notes the event, and asks again
until it is told to wait.
"""

from collections.abc import Sequence

from steadyhand.routing.planning.action import Action, Plan, Step
from steadyhand.routing.planning.situation import FLOOR, NEVER_US, Event, Situation


def plan(situation: Situation) -> Plan:
    """Return what will happen if no rung says anything."""
    until_us = situation.budget_us - situation.policy.floor_reserve_us
    steps = tuple(
        Step(place, "start", 0, until_us, "share") for place in range(len(situation.candidates))
    )
    return Plan(steps, until_us if situation.budget_us else NEVER_US, "equal_shares")


def replan(situation: Situation, events: Sequence[Event], now_us: int) -> Action:
    """Return what to do at ``now_us``, given what has happened so far."""
    begun = {event.candidate for event in events if event.kind == "started"}
    for event in events:
        if event.kind == "content":
            return Action("speak", event.candidate, NEVER_US, NEVER_US, "first_content")
    until_us = situation.budget_us - situation.policy.floor_reserve_us
    for place in range(len(situation.candidates)):
        if place not in begun and now_us < until_us:
            return Action("start", place, until_us, until_us, "share")
    return Action("floor", FLOOR, NEVER_US, NEVER_US, "nothing_left")
