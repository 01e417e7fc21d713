"""The attempts of one request at live candidates: begun, ended, or left to go on for others."""

from collections.abc import Mapping, Sequence
from math import inf
from time import monotonic

from steadyhand.gateway.attempt import AttemptFailed
from steadyhand.gateway.climb import hedges
from steadyhand.gateway.climb.course import Course
from steadyhand.gateway.climb.late import harvest
from steadyhand.gateway.climb.lineup import HeldProbe, LiveSlot, Probes, Slot
from steadyhand.gateway.climb.race import Race
from steadyhand.gateway.climb.run import Run
from steadyhand.gateway.exchange import Exchange
from steadyhand.routing.health.reading import CLOSED, PROBE
from steadyhand.routing.planning.situation import FLOOR
from steadyhand.routing.rungs.base import Question, StoredRung


class Attempts:
    """Attempts by the place of their candidate, and the tasks beside the request."""

    __slots__ = ("_exchange", "_keepers", "_probes", "_race", "_runs")

    def __init__(
        self,
        exchange: Exchange,
        keepers: Sequence[StoredRung],
        probes: Probes | None,
    ) -> None:
        """Begin nothing yet.

        Args:
            exchange: The request.
            keepers: Who is offered what comes too late.
            probes: Where places of probes are held, to be used or given back.
        """
        self._race: Race | None = None  # few requests need one
        self._probes = probes
        self._exchange = exchange
        self._keepers = keepers
        self._runs: dict[int, Run] = {}

    @property
    def race(self) -> Race:
        """Tasks of attempts, and of stored rungs that fetch."""
        if self._race is None:
            self._race = Race()
        return self._race

    @property
    def is_quiet(self) -> bool:
        """Whether no task runs, and none has ended that was not taken yet."""
        return self._race is None or self._race.is_empty

    def get(self, place: int) -> Run | None:
        """Return the attempt at ``place``, if there was one."""
        return self._runs.get(place)

    @property
    def next_role(self) -> str:
        """Role of an attempt that is started in its turn."""
        return "fallback" if self._runs else "first"

    @property
    def running(self) -> list[Run]:
        """Those of which nothing is known yet, oldest first."""
        return [run for place, run in self._runs.items() if place in self.race]

    @property
    def may_harvest(self) -> bool:
        """Whether a late answer would be of use, and there is room for it."""
        return bool(self._keepers) and self._exchange.gear.harvest.has_room

    @property
    def last_s(self) -> float:
        """Monotonic second until when an attempt in the background may be of use."""
        last_s = self._exchange.deadline_s
        if last_s < inf and self.may_harvest:
            last_s += self._exchange.gear.harvest.limits.max_s
        return last_s

    def may_begin(self, place: int, slot: LiveSlot, now_s: float, draw: float) -> bool:
        """Tell whether a candidate that was well at the beginning may still be asked.

        A fallback may have its turn seconds after the request came. What is known by then of its
        breaker counts: to ask a deployment that does not answer would cost its turn and a call.
        Half-open, it may give the request the place of a probe.
        """
        breaker = slot.health.breaker
        if breaker.state == CLOSED or (self._probes is not None and place in self._probes):
            return True
        admission = slot.health.admit(now_s, draw)
        if admission.kind == PROBE:
            self._probes = self._probes or {}
            self._probes[place] = HeldProbe(slot.health, admission.generation)
        return admission.may_go

    def begin(self, place: int, slot: LiveSlot, role: str) -> Run:
        """Return an attempt that is about to ask."""
        if slot.may_hedge:
            hedges.count(self._exchange, slot, role)
        held = self._probes.pop(place, None) if self._probes else None
        if held is not None and role != "hedge":
            role = "probe"
        run = self._runs[place] = Run(self._exchange, place, slot, role, monotonic(), held)
        return run

    def end_all_but(
        self, winner: Run | None, reasons: Mapping[int, str], question: Question | None
    ) -> None:
        """Cancel what is under way.

        Args:
            winner: The attempt that speaks; ``None`` if another kind of rung does.
            reasons: Why attempts had been given up, by place.
            question: Given if late answers may go on for later requests.
        """
        if winner is not None and len(self._runs) == 1 and self.is_quiet:
            return
        for place, task in iter(self.race.take, None):
            error = None if task.cancelled() else task.exception()
            if isinstance(error, AttemptFailed) and place in self._runs:
                self._runs[place].failed(error.failure)
        is_race = winner is not None and winner.role == "hedge"
        for place, run in self._runs.items():
            if run is winner or run.is_over:
                continue
            if question is not None and self.may_harvest:
                run.handed_over()
                self.harvest(run, question)
            elif is_race or run.role == "hedge":
                run.lost("hedge_lost")
            else:
                run.lost(reasons.get(place, "overtaken"))
        self.race.cancel_all()

    def leave(self, reason: str) -> None:
        """Cancel all that is under way, because nobody waits for an answer."""
        for run in self._runs.values():
            run.lost(reason)
        if self._race is not None:
            self._race.cancel_all()

    def close(self) -> None:
        """Make sure that nothing is left running, and no place of a probe taken."""
        if not self.is_quiet:
            self.leave("overtaken")
        if self._probes:
            for held in self._probes.values():
                held.health.unused(held.generation)

    def revalidate(self, course: Course, slots: Sequence[Slot], question: Question) -> None:
        """Ask the first live candidate that is well, to refresh behind a stored answer."""
        asked = course.asked(FLOOR)
        lives = [
            (place, slot)
            for place, slot in enumerate(slots)
            if isinstance(slot, LiveSlot) and not slot.is_spare
        ]
        if any(place in asked for place, _ in lives):
            return
        for place, slot in lives:
            is_well = course.prepared.candidates[place].health == "closed"
            if is_well and self.may_harvest:
                self.harvest(self.begin(place, slot, "harvest"), question)
                return

    def harvest(self, run: Run, question: Question) -> None:
        """Let ``run`` go on in the background."""
        task = self.race.release(run.place)
        work = harvest(self._exchange, run, task, question, self._keepers)
        self._exchange.gear.harvest.take(work)
