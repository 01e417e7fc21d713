"""How far a climb has come: the situation and its events, folded into one state."""

from collections.abc import Iterable
from typing import Literal

from steadyhand.routing.planning import timing
from steadyhand.routing.planning.situation import FLOOR, NEVER_US, Event, Situation
from steadyhand.routing.planning.standing import FIRM, HALF_OPEN, HARD, OPEN, SOFT, standing_of

Status = Literal["idle", "running", "late", "harvest", "fresh", "stale", "over"]
"""Of a candidate: ``late`` has had its time and goes on, ``over`` can say nothing any more."""

BEGINNINGS = frozenset({"started", "hedged", "harvested"})
ALIVE = frozenset({"idle", "running", "fresh", "stale"})
TICK_US = 1_000
"""Time is cut to whole ticks before it is shared, so that requests alike have plans alike."""


class Progress:
    """A climb so far. Changed by :meth:`note` only, so that equal events make equal states.

    Attributes:
        situation: What was known at its beginning.
        end_us: When the last answer must be given; ``NEVER_US`` without a deadline.
        standings: Of each candidate; that of one whose breaker opens meanwhile changes.
        status: Of each candidate.
        began_us: When each was started; 0 if it was not.
        until_us: When each is given up.
        has_spoken: Whether an answer has begun to leave.
        is_abandoned: Whether the client is gone.
        content: The first candidate whose content came and may be sent, or ``FLOOR``.
        hedged: Rungs that have had their hedge, or were refused one.
        after: Kind of the last event that made room for another rung, or empty.
    """

    def __init__(self, situation: Situation) -> None:
        """Begin: nothing has happened."""
        candidates, draw = situation.candidates, situation.draw
        self.situation = situation
        self.end_us = (
            max(0, situation.budget_us - situation.policy.floor_reserve_us)
            if situation.budget_us
            else NEVER_US
        )
        self.standings = [standing_of(one, place, draw) for place, one in enumerate(candidates)]
        self.status: list[Status] = ["idle"] * len(candidates)
        self.began_us = [0] * len(candidates)
        self.until_us = [NEVER_US] * len(candidates)
        self.has_spoken = self.is_abandoned = False
        self.content = FLOOR
        self.hedged: set[int] = set()
        self.after = ""
        self._noted = 0
        self._asked = (FLOOR, 0, 0)
        self._until_us = 0

    def note(self, event: Event) -> None:
        """Take in what has happened."""
        place, kind = event.candidate, event.kind
        if kind == "spoke":
            self.has_spoken = True
        elif kind == "client_gone":
            self.is_abandoned = True
        elif kind in BEGINNINGS:
            self._begin(event)
        elif kind == "no_hedge":
            self.hedged.add(self.situation.candidates[place].rung)
        elif kind == "shut":
            self.status[place] = "over"
            self.standings[place] = HALF_OPEN if event.detail == "half_open" else OPEN
        elif kind == "content":
            self.content = place if self.content == FLOOR else self.content
        elif kind == "ready":
            self.status[place] = "stale" if event.detail == "stale" else "fresh"
        else:
            self._end(event)
        self._noted += 1

    def _begin(self, event: Event) -> None:
        place = event.candidate
        self.began_us[place] = event.at_us
        if event.kind == "harvested":
            self.status[place] = "harvest"
            return
        if event.kind == "hedged":
            self.hedged.add(self.situation.candidates[place].rung)
        self.until_us[place] = self.until_of(place, event.at_us)
        self.status[place] = "running"

    def _end(self, event: Event) -> None:
        """Take in ``empty``, ``failed`` or ``gave_up``."""
        place = event.candidate
        goes_on = event.kind == "gave_up" and self.situation.policy.lingers and self.is_live(place)
        self.status[place] = "late" if goes_on else "over"
        self.after = event.kind

    def time_us(self, place: int, now_us: int) -> int:
        """Return what is left for the live rung at ``place`` and the live ones after it.

        What the stored rungs after it need for a look is never theirs.
        """
        if self.end_us == NEVER_US:
            return NEVER_US
        return self.end_us - now_us + now_us % TICK_US - self._looks_us(place)

    def _looks_us(self, place: int) -> int:
        return sum(
            one.cost.p99_us
            for other, one in enumerate(self.situation.candidates)
            if other > place and not one.is_live and self.standings[other].rank == FIRM
        )

    def until_of(self, place: int, now_us: int) -> int:
        """Return when the candidate at ``place`` is given up if it starts now.

        Asked twice, by who tells the start and by who notes it; computed once.
        """
        asked = (place, now_us, self._noted)
        if asked != self._asked:
            self._until_us = self._until_of(place, now_us)
            self._asked = asked
        return self._until_us

    def _until_of(self, place: int, now_us: int) -> int:
        candidate, policy = self.situation.candidates[place], self.situation.policy
        tick_us = now_us - now_us % TICK_US
        if not candidate.is_live:
            return min(self.end_us, tick_us + timing.fetch_us(candidate.cost))
        if self.end_us == NEVER_US:
            return min(NEVER_US, now_us + timing.uncapped_us(candidate, policy.cap_us))
        time_us = max(1, self.time_us(place, now_us))
        window_us = timing.window_us(
            candidate, self._others(place, time_us), time_us, lingers=policy.lingers
        )
        until_us = tick_us + window_us
        return min(self.end_us, until_us if until_us > now_us else now_us + window_us)

    def is_live(self, place: int) -> bool:
        """Tell whether the candidate at ``place`` asks a model."""
        return self.situation.candidates[place].is_live

    def _others(self, place: int, time_us: int) -> timing.Others:
        """Return who else may answer while the candidate at ``place`` has its turn."""
        candidates = self.situation.candidates
        later = self._later(place, time_us)
        idle = [
            other
            for other, one in enumerate(candidates)
            if one.is_live and other != place and self.status[other] == "idle"
        ]
        needs = [
            timing.need_us(candidates[other].cost)
            for other in idle
            if self.standings[other].rank != HARD
        ]
        return timing.Others(
            [candidates[other] for other in later if other in idle],
            min(needs, default=0),
            is_last=not later and "stale" not in self.status,
        )

    def _later(self, place: int, time_us: int) -> list[int]:
        """Return who of the same rank may still answer after the candidate at ``place``."""
        rank = min(SOFT, self.standings[place].rank)
        return [
            other
            for other, one in enumerate(self.situation.candidates)
            if other > place
            and self.standings[other].rank == rank
            and self.status[other] in ALIVE
            and (not one.is_live or timing.makes_it(one, time_us))
        ]


def progress_of(situation: Situation, events: Iterable[Event]) -> Progress:
    """Return the state of a climb after ``events``."""
    progress = Progress(situation)
    for event in events:
        progress.note(event)
    return progress
