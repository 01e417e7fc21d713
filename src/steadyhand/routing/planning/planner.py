"""Plan and re-plan a climb of the ladder: functions of what was recorded, and of the time.

``replan`` is all that the engine asks; with no events it says how to begin. It folds the events
into a state and answers with one action. The engine does it, notes its event, and asks again
until it is told to wait.

The order of the candidates is the order of preference, so the first that may still answer has its
turn: it is started, or waited for, or its stored answer speaks. Around it, others are prepared:
stored rungs look for their answers shortly before they are needed, a hedge is begun when the
one in front is slower than 19 of 20. ``forecast.py`` tells the whole story in advance.
"""

from collections.abc import Callable, Iterator, Sequence

from steadyhand.routing.planning import timing
from steadyhand.routing.planning.action import Action, ActionKind
from steadyhand.routing.planning.progress import TICK_US, Progress, progress_of
from steadyhand.routing.planning.situation import FLOOR, NEVER_US, Event, EventKind, Situation
from steadyhand.routing.planning.standing import FIRM, HARD

CARRIED_OUT: dict[ActionKind, EventKind] = {
    "start": "started",
    "prepare": "started",
    "hedge": "hedged",
    "harvest": "harvested",
    "give_up": "gave_up",
    "speak": "spoke",
    "floor": "spoke",
}
"""Which event says that an action was carried out; ``wait`` and ``stop`` leave none."""

START_REASONS = {
    "": "first_choice",
    "empty": "after_empty",
    "failed": "after_failure",
    "gave_up": "after_give_up",
}


def replan(situation: Situation, events: Sequence[Event], now_us: int) -> Action:
    """Return what to do at ``now_us``, given what has happened so far."""
    return decide(progress_of(situation, events), now_us)


def carried_out(action: Action, now_us: int) -> Event:
    """Return the event of ``action``, which the planner told when it was asked at ``now_us``.

    It bears that time, and not the later one at which all was done: so that the decision can be
    made again from its events. Not for ``wait`` and ``stop``.
    """
    return Event(now_us, action.candidate, CARRIED_OUT[action.kind], action.reason)


def decide(progress: Progress, now_us: int) -> Action:
    """Return what to do at ``now_us``. Leaves ``progress`` as it is."""
    if progress.is_abandoned:
        return _do("stop", FLOOR, "client_gone")
    if progress.has_spoken:
        return _do("stop", FLOOR, "has_spoken")
    if progress.content != FLOOR:
        return _do("speak", progress.content, "first_content")
    if now_us >= progress.end_us:
        return _last_word(progress, "deadline")
    for place in range(len(progress.status)):
        action = _turn(progress, place, now_us)
        if action is not None:
            return action
    return _after_all(progress, now_us)


def _do(kind: ActionKind, place: int, reason: str, until_us: int = NEVER_US) -> Action:
    return Action(kind, place, until_us, NEVER_US, reason)


def _turn(progress: Progress, place: int, now_us: int) -> Action | None:
    """Return what to do if the candidate at ``place`` is the first that may answer."""
    status = progress.status[place]
    if status == "fresh":
        return _do("speak", place, "fresh")
    if status == "running":
        return _attend(progress, place, now_us)
    if not _may_begin(progress, place):
        return None
    if progress.is_live(place) and not _fits(progress, place, now_us):
        return None
    return _start(progress, place, now_us, "")


def _fits(progress: Progress, place: int, now_us: int) -> bool:
    candidate = progress.situation.candidates[place]
    return timing.makes_it(candidate, progress.time_us(place, now_us))


def _start(progress: Progress, place: int, now_us: int, reason: str) -> Action:
    until_us = progress.until_of(place, now_us)
    if not reason:
        is_probe = progress.situation.candidates[place].is_probe
        reason = "probe" if is_probe else START_REASONS[progress.after]
        if reason == "first_choice" and place > 0:
            reason = "planned_around"
    began_us = now_us - now_us % TICK_US  # the same for all requests of this tick
    wake_us = min(at_us for at_us, _ in _chores(progress, place, began_us, until_us))
    return Action("start", place, until_us, max(wake_us, now_us), reason)


def _attend(progress: Progress, place: int, now_us: int) -> Action:
    """Return what to do while the candidate at ``place`` has its time."""
    until_us = progress.until_us[place]
    if now_us >= until_us:
        return _do("give_up", place, "time_is_up")
    wake_us = until_us
    began_us = progress.began_us[place]
    for at_us, make in _chores(progress, place, began_us, until_us):
        if now_us >= at_us:
            return make(now_us)
        wake_us = min(wake_us, at_us)
    return Action("wait", place, until_us, wake_us, "has_time")


Chore = tuple[int, Callable[[int], Action]]


def _chores(progress: Progress, place: int, began_us: int, until_us: int) -> Iterator[Chore]:
    """Yield what is to be done, and when, while the candidate at ``place`` has its time."""
    yield until_us, lambda _: _do("give_up", place, "time_is_up")
    if not progress.is_live(place):
        return
    yield from _hedge(progress, place, began_us, until_us)
    for other in range(place + 1, len(progress.status)):
        if progress.status[other] == "fresh":
            return
        if not progress.is_live(other) and _may_begin(progress, other):
            yield _preparation(progress, place, other, began_us, until_us)


def _may_begin(progress: Progress, place: int) -> bool:
    return progress.status[place] == "idle" and progress.standings[place].rank == FIRM


def _preparation(
    progress: Progress, place: int, stored: int, began_us: int, until_us: int
) -> Chore:
    """Return when the stored rung looks for its answer: in time, or once the live one is slow."""
    cost = progress.situation.candidates[place].cost
    at_us = until_us - timing.fetch_us(progress.situation.candidates[stored].cost)
    if timing.is_known(cost):
        at_us = min(at_us, began_us + cost.p90_us)

    def prepare(now_us: int) -> Action:
        fetched_us = progress.until_of(stored, now_us)
        return Action("prepare", stored, fetched_us, now_us, "live_is_slow")

    return max(began_us, at_us), prepare


def _hedge(progress: Progress, place: int, began_us: int, until_us: int) -> Iterator[Chore]:
    """Yield the hedge of the candidate at ``place``, if it may have one."""
    candidate = progress.situation.candidates[place]
    if not candidate.may_hedge or candidate.rung in progress.hedged:
        return
    at_us = began_us + timing.hedge_after_us(candidate.cost)
    partner = _partner(progress, place, at_us)
    if not timing.is_known(candidate.cost) or at_us >= until_us or partner is None:
        return

    def hedge(now_us: int) -> Action:
        return Action("hedge", partner, progress.until_of(partner, now_us), now_us, "slow")

    yield at_us, hedge


def _partner(progress: Progress, place: int, at_us: int) -> int | None:
    """Return the deployment of the same rung that a hedge would ask, if there is one."""
    candidates = progress.situation.candidates
    for other in range(place + 1, len(candidates)):
        standing = progress.standings[other]
        if (
            candidates[other].rung == candidates[place].rung
            and progress.status[other] == "idle"
            and (standing.rank == FIRM or standing.reason == "spare")
            and _fits(progress, other, at_us)
        ):
            return other
    return None


def _after_all(progress: Progress, now_us: int) -> Action:
    """Return what to do when nobody who usually makes it is left."""
    if "stale" in progress.status:
        return _last_word(progress, "no_live_answer")
    resort = _last_resort(progress, now_us)
    if resort is not None:
        return _start(progress, resort, now_us, "last_resort")
    if "late" in progress.status and progress.end_us < NEVER_US:
        return Action("wait", FLOOR, progress.end_us, progress.end_us, "late_ones_may_speak")
    was_asked = any(status != "idle" for status in progress.status)
    return _last_word(progress, "nothing_left" if was_asked else "nothing_may_start")


def _last_resort(progress: Progress, now_us: int) -> int | None:
    """Return who is asked where else the floor would speak: whoever fits, then whoever may."""
    soft = [
        place
        for place, standing in enumerate(progress.standings)
        if progress.status[place] == "idle" and standing.rank != HARD
    ]
    candidates = progress.situation.candidates
    for place in soft:
        if not candidates[place].is_live or _fits(progress, place, now_us):
            return place
    for place in soft:
        if timing.may_make_it(candidates[place], progress.time_us(place, now_us)):
            return place
    return None


def _last_word(progress: Progress, reason: str) -> Action:
    """Let the best answer speak that is there: a fresh one, a stale one, the floor."""
    if "fresh" in progress.status:
        return _do("speak", progress.status.index("fresh"), f"fresh_at_{reason}")
    slow = _harvestable(progress)
    if slow is not None:
        return _do("harvest", slow, "too_slow_for_this_request")
    if "stale" in progress.status:
        return _do("speak", progress.status.index("stale"), f"stale_at_{reason}")
    return _do("floor", FLOOR, reason)


def _harvestable(progress: Progress) -> int | None:
    """Return the live rung that is asked for later requests, if none was asked for this one."""
    candidates = progress.situation.candidates
    if not progress.situation.policy.harvests or any(
        one.is_live and progress.status[place] != "idle" for place, one in enumerate(candidates)
    ):
        return None
    for place, one in enumerate(candidates):
        if one.is_live and progress.standings[place].rank == FIRM:
            return place
    return None
