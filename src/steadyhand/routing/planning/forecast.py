"""What will happen if nobody says anything: the plan, made by asking the planner all along."""

from steadyhand.routing.planning.action import Plan, Step
from steadyhand.routing.planning.planner import CARRIED_OUT, decide
from steadyhand.routing.planning.progress import Progress
from steadyhand.routing.planning.situation import FLOOR, NEVER_US, Event, Situation
from steadyhand.routing.planning.timing import is_known, makes_it

ASKED = frozenset({"start", "hedge", "prepare", "harvest"})


def plan(situation: Situation) -> Plan:
    """Return what will happen if no rung says anything: each with its times and its reason."""
    progress = Progress(situation)
    steps: dict[int, Step] = {}
    now_us, last = 0, FLOOR
    while now_us < NEVER_US:
        action = decide(progress, now_us)
        if action.kind == "floor":
            last = FLOOR
            break
        if action.kind == "wait":
            now_us, last = action.wake_us, action.candidate
            continue
        progress.note(Event(now_us, action.candidate, CARRIED_OUT[action.kind]))
        if action.kind in ASKED:
            steps[action.candidate] = Step(
                action.candidate, action.kind, now_us, action.until_us, action.reason
            )
    around = tuple(
        Step(place, "skip", 0, 0, why_not(progress, place, last, now_us))
        for place in range(len(situation.candidates))
        if place not in steps
    )
    return Plan((*steps.values(), *around), now_us, sharing(situation))


def why_not(progress: Progress, place: int, speaker: int, now_us: int) -> str:
    """Return why the candidate at ``place``, which was not asked, was passed over.

    Args:
        progress: The climb at its end.
        place: Of the candidate.
        speaker: Who spoke; candidates after it were not reached.
        now_us: When.
    """
    reason = progress.standings[place].reason
    if reason:
        return reason
    candidate = progress.situation.candidates[place]
    if not candidate.is_live or FLOOR != speaker < place:
        return "not_reached"
    time_us = progress.time_us(place, now_us)
    known_slow = is_known(candidate.cost) and not makes_it(candidate, progress.time_us(place, 0))
    return "too_slow" if known_slow or time_us > 0 else "no_time"


def sharing(situation: Situation) -> str:
    """Name how time is shared: ``no_deadline``, ``equal_shares`` or ``learned_costs``."""
    if not situation.budget_us:
        return "no_deadline"
    is_learned = any(one.is_live and is_known(one.cost) for one in situation.candidates)
    return "learned_costs" if is_learned else "equal_shares"
