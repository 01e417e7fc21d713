"""One request on its way up the ladder: who speaks is the planner's decision, carried out here.

The loop is :meth:`Climb.decide`: take what has happened, ask the planner, do what it says. An
attempt that nothing else can run beside is awaited in the request's own task; a task of its own is
made only where two things may run at once.
"""

import asyncio
from math import inf
from time import monotonic
from typing import Any

from steadyhand.gateway.attempt import AttemptFailed
from steadyhand.gateway.climb import hedges
from steadyhand.gateway.climb.attempts import Attempts
from steadyhand.gateway.climb.late import offer
from steadyhand.gateway.climb.lineup import LiveSlot, StoredSlot, line_up
from steadyhand.gateway.climb.question import question_of
from steadyhand.gateway.climb.reasons import Reasons
from steadyhand.gateway.climb.run import Run
from steadyhand.gateway.climb.voice import Silence, Stored, Voice
from steadyhand.gateway.exchange import Exchange
from steadyhand.gateway.recording import attempt_of
from steadyhand.providers.base import Failure
from steadyhand.routing.planning.action import Action
from steadyhand.routing.planning.forecast import why_not
from steadyhand.routing.planning.planner import carried_out, decide
from steadyhand.routing.planning.progress import Progress
from steadyhand.routing.planning.situation import FLOOR, NEVER_US, Event, EventKind, Situation
from steadyhand.routing.rungs.base import Question, StoredAnswer

LAST_WORDS = frozenset({"speak", "floor", "stop"})
"""Actions after which nobody is waited for; that a live rung speaks is known without asking."""


class Climb:
    """Decides who speaks, and leaves nothing running that nobody uses.

    Attributes:
        events: What has happened.
    """

    def __init__(self, exchange: Exchange) -> None:
        """Line up who may answer; nothing is asked yet."""
        self._draw = draw = exchange.gear.draw()
        lineup, probes = line_up(exchange, draw, monotonic())
        self.events: list[Event] = []
        self._exchange = exchange
        self._origin_s = exchange.request.received_s
        budget_s = exchange.deadline_s - self._origin_s
        self._budget_us = 0 if budget_s == inf else max(1, round(budget_s * 1e6))
        self._prepared = lineup.prepared
        self._slots = lineup.slots
        self._keepers = lineup.keepers
        self._attempts = Attempts(exchange, lineup.keepers, probes)
        self._race = self._attempts.race
        self._situation: Situation | None = None
        self._answers: dict[int, StoredAnswer] = {}
        self._reasons = Reasons()
        self._question: Question | None = None
        self._looks = 0  # events before anything was asked
        self._folded: Progress | None = None
        self._noted = 0
        exchange.trail.decision = self.decision

    @property
    def situation(self) -> Situation:
        """What was known at the beginning."""
        if self._situation is None:
            self._situation = self._prepared.situation(
                self._budget_us, self._draw, stream=self._exchange.stream
            )
        return self._situation

    def decision(self) -> bytes:
        """Return what the record keeps: from it the same decision can be made again."""
        return self._prepared.record(
            self._budget_us, self._draw, self.events, stream=self._exchange.stream
        )

    @property
    def question(self) -> Question:
        """The request as stored rungs see it."""
        if self._question is None:
            self._question = question_of(self._exchange)
        return self._question

    async def decide(self) -> Voice:
        """Return who speaks; all others have been told that they do not.

        Raises:
            RelayedFailure: The request itself is at fault, says a provider.
        """
        if self._keepers:
            self._peek()
        self._looks = len(self.events)
        while True:
            run = self._news()
            if run is None:
                now_us = self._now_us()
                action = self._ask_planner(now_us)
                if action.kind in LAST_WORDS:
                    return self._last_word(action, now_us)
                run = await self._carry_out(action, now_us)
            if run is not None:
                return self._first_content(run)

    def _ask_planner(self, now_us: int) -> Action:
        if len(self.events) > self._looks:
            return decide(self._progress(), now_us)
        return self._prepared.first(self._budget_us, self._draw, now_us, self.events)

    def _progress(self) -> Progress:
        """Return how far this has come; each event is taken in once."""
        if self._folded is None:
            self._folded = Progress(self.situation)
        for event in self.events[self._noted :]:
            self._folded.note(event)
        self._noted = len(self.events)
        return self._folded

    async def _carry_out(self, action: Action, now_us: int) -> Run | None:
        """Do what the planner says; return an attempt if that has brought content."""
        if action.kind == "start":
            return await self._start(action, now_us)
        if action.kind == "wait":
            await self._race.wait(self._at_s(action.wake_us))
        else:
            self._do(action, now_us)
        return None

    def why(self, run: Run) -> str:
        """Return why ``run`` speaks and not the one before."""
        return self._reasons.why(run)

    def offer(self, run: Run) -> None:
        """Offer the whole answer of ``run`` to the stored rungs."""
        if self._keepers:
            offer(run, self.question, self._keepers)

    def leave(self, reason: str) -> None:
        """Cancel all that is under way: the client has left, or this process stops."""
        self._note(FLOOR, "client_gone", reason)
        self._attempts.leave(reason)

    def close(self) -> None:
        """Make sure that nothing is left running, and nothing refers to this but who began it.

        A trail that kept asking this climb would be a cycle: each request's memory would wait for
        the garbage collector, which costs more than the rest of the climb.
        """
        self._attempts.close()
        trail = self._exchange.trail
        trail.decision, trail.decided = None, self.decision()

    # What the planner tells.

    async def _start(self, action: Action, now_us: int) -> Run | None:
        """Ask a candidate; return its attempt if it was waited for and has content."""
        place = action.candidate
        slot = self._slots[place]
        if isinstance(slot, StoredSlot):
            self._do(action, now_us)
            return None
        is_alone = self._is_alone(action)
        self.events.append(carried_out(action, now_us))
        run = self._attempts.begin(place, slot, self._attempts.next_role)
        if not is_alone:
            self._race.spawn(place, run.listen(self._attempts.last_s))
            await self._race.wait(self._at_s(action.wake_us))
            return None
        try:
            await run.listen(self._at_s(action.until_us))
        except AttemptFailed as error:
            self._failed(run, error.failure)
            return None
        self._note(place, "content")
        return run

    def _do(self, action: Action, now_us: int) -> None:
        """Do what needs no waiting."""
        place = action.candidate
        slot = self._slots[place]
        if action.kind == "hedge" and isinstance(slot, LiveSlot):
            self._hedge(action, slot, now_us)
            return
        self.events.append(carried_out(action, now_us))
        if action.kind == "give_up":
            self._give_up(place)
        elif isinstance(slot, StoredSlot):
            fetch = slot.stored.fetch(self.question, self._at_s(action.until_us))
            self._race.spawn(place, fetch)
        else:
            self._attempts.harvest(self._attempts.begin(place, slot, "harvest"), self.question)

    def _is_alone(self, action: Action) -> bool:
        """Tell whether nothing can run beside what ``action`` starts, and nothing outlive it."""
        return (
            self._race.is_empty
            and action.wake_us >= action.until_us
            and (action.until_us >= NEVER_US or not self._prepared.policy.harvests)
            and self._is_last(action.candidate)
        )

    def _is_last(self, place: int) -> bool:
        """Tell whether every other candidate has been asked, so that only the floor is left."""
        if len(self._slots) == 1:
            return True
        others = {event.candidate for event in self.events}
        return len(others | {place}) == len(self._slots)

    def _hedge(self, action: Action, slot: LiveSlot, now_us: int) -> None:
        place = action.candidate
        refused = hedges.refused(self._exchange, self._attempts.running[0].deployment.id, slot)
        if refused:
            self.events.append(Event(now_us, place, "no_hedge", refused))
            return
        self.events.append(carried_out(action, now_us))
        run = self._attempts.begin(place, slot, "hedge")
        self._race.spawn(place, run.listen(self._attempts.last_s))

    def _give_up(self, place: int) -> None:
        run = self._attempts.get(place)
        if run is None:
            self._race.cancel(place)
            return
        self._reasons.gave_up(place)
        policy = self._prepared.policy
        if not (policy.lingers or policy.harvests):
            self._race.cancel(place)
            run.lost("gave_up")

    # What happens.

    def _news(self) -> Run | None:
        """Note what has ended; return the first attempt that has content."""
        while (ended := self._race.take()) is not None:
            run = self._take(*ended)
            if run is not None:
                return run
        return None

    def _take(self, place: int, task: asyncio.Task[Any]) -> Run | None:
        """Note how a task has ended; return its attempt if it has content."""
        run = self._attempts.get(place)
        error = None if task.cancelled() else task.exception()
        if run is None:
            has_answer = error is None and not task.cancelled()
            self._stored(place, task.result() if has_answer else None)
        elif isinstance(error, AttemptFailed):
            self._failed(run, error.failure)
        elif error is not None:
            raise error
        elif task.cancelled():
            self._failed(run, Failure("connection_lost"))
        else:
            self._note(place, "content")
            return run
        return None

    def _failed(self, run: Run, failure: Failure) -> None:
        """Note a failure.

        Raises:
            RelayedFailure: It is the request's own, and nobody else is to be asked.
        """
        run.failed(failure)
        self._note(run.place, "failed", failure.reason)
        if self._reasons.failed(run.place, failure):
            self._attempts.leave("overtaken")
            self._reasons.relay_refusal(self._exchange)

    def _peek(self) -> None:
        """Look at what memory has, before anything is asked."""
        for place, slot in enumerate(self._slots):
            if isinstance(slot, StoredSlot):
                answer = slot.stored.peek(self.question)
                if answer is not None or not slot.stored.has_slow_tiers:
                    self._stored(place, answer)

    def _stored(self, place: int, answer: StoredAnswer | None) -> None:
        """Note what a stored rung has; text is no answer to a request for a call or for JSON."""
        if answer is None or not (self._exchange.modality == "text" or answer.answers_all):
            self._note(place, "empty")
            return
        self._answers[place] = answer
        self._note(place, "ready", "fresh" if answer.is_fresh or answer.revalidate else "stale")

    # Who speaks.

    def _first_content(self, run: Run) -> Run:
        """Let ``run`` speak: what the planner says of a first content, whatever else there is."""
        now_us = self._now_us()
        self._note_skipped(run.place, now_us)
        self.events.append(Event(now_us, run.place, "spoke", "first_content"))
        self._attempts.end_all_but(run, self._reasons.by_place, None)
        return run

    def _last_word(self, action: Action, now_us: int) -> Voice:
        """Let a stored rung or the floor speak; what runs may go on for later requests."""
        place = action.candidate if action.kind == "speak" else len(self._slots)
        self._note_skipped(place, now_us)
        if action.kind != "stop":
            self.events.append(carried_out(action, now_us))
        for run in self._attempts.running:  # at the deadline nobody is given up one by one
            if run.place not in self._reasons.by_place:
                self._reasons.gave_up(run.place)
        keeps = self.question if self._keepers else None
        self._attempts.end_all_but(None, self._reasons.by_place, keeps)
        if action.kind != "speak":
            self._reasons.relay_refusal(self._exchange)
            otherwise = action.reason if self._slots else "no_rung"
            return Silence(self._reasons.failure or Failure(self._reasons.last(otherwise)))
        slot, answer = self._slots[place], self._answers[place]
        kind = slot.stored.kind if isinstance(slot, StoredSlot) else ""
        if answer.revalidate:
            self._revalidate()
        return Stored(kind, answer, self._reasons.last(answer.reason))

    def _note_skipped(self, speaker: int, now_us: int) -> None:
        """Note the live candidates before ``speaker`` that were planned around, and why."""
        if speaker == 0:
            return
        asked = {event.candidate for event in self.events}
        skipped = [
            (place, slot)
            for place, slot in enumerate(self._slots[:speaker])
            if place not in asked and isinstance(slot, LiveSlot) and not slot.is_spare
        ]
        if not skipped:
            return
        progress = self._progress()
        now_s = monotonic()
        for place, slot in skipped:
            reason = self._reasons.by_place[place] = why_not(progress, place, FLOOR, now_us)
            self._exchange.trail.attempts.append(
                attempt_of(self._exchange, slot.deployment.id, now_s, 0, reason)
            )

    def _revalidate(self) -> None:
        """Ask the first live candidate that is well, to refresh behind a stored answer."""
        asked = {event.candidate for event in self.events}
        lives = [
            (place, slot)
            for place, slot in enumerate(self._slots)
            if isinstance(slot, LiveSlot) and not slot.is_spare
        ]
        if any(place in asked for place, _ in lives):
            return
        for place, slot in lives:
            is_well = self._prepared.candidates[place].health == "closed"
            if is_well and self._attempts.may_harvest:
                self._attempts.harvest(self._attempts.begin(place, slot, "harvest"), self.question)
                return

    def _note(self, place: int, kind: EventKind, detail: str = "") -> None:
        self.events.append(Event(self._now_us(), place, kind, detail))

    def _now_us(self) -> int:
        return int((monotonic() - self._origin_s) * 1e6)

    def _at_s(self, at_us: int) -> float:
        return inf if at_us >= NEVER_US else self._origin_s + at_us / 1e6
