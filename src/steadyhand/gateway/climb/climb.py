"""One request on its way up the ladder: who speaks is the planner's decision, carried out here.

The loop is :meth:`Climb.decide`: take what has happened, ask the planner, do what it says. An
attempt that nothing else can run beside is awaited in the request's own task; a task of its own is
made only where two things may run at once.
"""

import asyncio
from time import monotonic
from typing import Any

from steadyhand.gateway.attempt import AttemptFailed
from steadyhand.gateway.climb import hedges
from steadyhand.gateway.climb.attempts import Attempts
from steadyhand.gateway.climb.course import Course
from steadyhand.gateway.climb.late import offer
from steadyhand.gateway.climb.lineup import LiveSlot, StoredSlot, line_up
from steadyhand.gateway.climb.question import question_of
from steadyhand.gateway.climb.reasons import Reasons
from steadyhand.gateway.climb.run import Run
from steadyhand.gateway.climb.skipped import note_skipped
from steadyhand.gateway.climb.voice import Silence, Stored, Voice
from steadyhand.gateway.exchange import Exchange
from steadyhand.providers.base import Failure
from steadyhand.routing.planning.action import Action
from steadyhand.routing.planning.planner import carried_out
from steadyhand.routing.planning.situation import FLOOR, NEVER_US, Event
from steadyhand.routing.rungs.base import Question, StoredAnswer

LAST_WORDS = frozenset({"speak", "floor", "stop"})
"""Actions after which nobody is waited for; that a live rung speaks is known without asking."""

KNOWN_US = 100_000
"""For so long what was known of candidates when they were lined up is taken to be so still."""


class Climb:
    """Decides who speaks, and leaves nothing running that nobody uses.

    Attributes:
        course: What has happened.
    """

    __slots__ = (
        "_answers", "_attempts", "_exchange", "_keepers", "_question", "_reasons", "_slots",
        "course",
    )  # fmt: skip

    def __init__(self, exchange: Exchange) -> None:
        """Line up who may answer; nothing is asked yet."""
        draw = exchange.gear.draw()
        lineup, probes = line_up(exchange, draw, monotonic())
        self._exchange = exchange
        self._slots = lineup.slots
        self._keepers = lineup.keepers
        self.course = Course(
            lineup.prepared,
            draw,
            exchange.request.received_s,
            exchange.deadline_s,
            stream=exchange.stream,
        )
        exchange.trail.decision = self.course.decision
        self._attempts = Attempts(exchange, lineup.keepers, probes)
        self._reasons = Reasons()
        self._answers: dict[int, StoredAnswer] = {}
        self._question: Question | None = None

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
        course = self.course
        if self._keepers:
            self._peek()
        now_us = course.now_us()
        action = course.first(now_us)
        while action.kind not in LAST_WORDS:
            slot = self._slots[action.candidate]
            if action.kind == "start" and isinstance(slot, LiveSlot):
                if self._is_alone(action):
                    run = await self._ask(action, slot, now_us)
                    if run is not None:
                        return run
                else:
                    self._start(action, slot, now_us)
                    await self._attempts.race.wait(course.at_s(action.wake_us))
            elif action.kind == "wait":
                await self._attempts.race.wait(course.at_s(action.wake_us))
            else:
                self._do(action, now_us)
            run = self._news()
            if run is not None:
                return self._first_content(run)
            now_us = course.now_us()
            action = self._next(now_us)
        return self._last_word(action, now_us)

    def why(self, run: Run) -> str:
        """Return why ``run`` speaks and not the one before."""
        return self._reasons.why(run)

    def offer(self, run: Run) -> None:
        """Offer the whole answer of ``run`` to the stored rungs."""
        if self._keepers:
            offer(run, self.question, self._keepers)

    def leave(self, reason: str) -> None:
        """Cancel all that is under way: the client has left, or this process stops."""
        self.course.note(FLOOR, "client_gone", reason)
        self._attempts.leave(reason)

    def close(self) -> None:
        """Make sure that nothing is left running."""
        self._attempts.close()

    def _next(self, now_us: int) -> Action:
        """Return what to do now; who is told to start and does not answer by now is passed over."""
        course = self.course
        action = course.next(now_us)
        while action.kind == "start" and now_us >= KNOWN_US:
            place, slot = action.candidate, self._slots[action.candidate]
            if isinstance(slot, StoredSlot):
                break
            if self._attempts.may_begin(place, slot, monotonic(), course.draw):
                break
            course.events.append(Event(now_us, place, "shut", slot.health.breaker.state))
            action = course.next(now_us)
        return action

    # What the planner tells.

    async def _ask(self, action: Action, slot: LiveSlot, now_us: int) -> Run | None:
        """Ask a candidate that nothing runs beside; return its attempt if it has content."""
        course, place = self.course, action.candidate
        course.events.append(carried_out(action, now_us))
        run = self._attempts.begin(place, slot, self._attempts.next_role)
        try:
            await run.listen(course.at_s(action.until_us))
        except AttemptFailed as error:
            self._failed(run, error.failure)
            return None
        now_us = course.now_us()
        course.events.append(Event(now_us, place, "content"))
        self._speaks(run, now_us)
        return run

    def _start(self, action: Action, slot: LiveSlot, now_us: int) -> None:
        """Ask a candidate in a task of its own."""
        place, attempts = action.candidate, self._attempts
        self.course.events.append(carried_out(action, now_us))
        run = attempts.begin(place, slot, attempts.next_role)
        attempts.race.spawn(place, run.listen(attempts.last_s))

    def _do(self, action: Action, now_us: int) -> None:
        """Do what needs no waiting."""
        place = action.candidate
        slot = self._slots[place]
        if action.kind == "hedge" and isinstance(slot, LiveSlot):
            self._hedge(action, slot, now_us)
            return
        self.course.events.append(carried_out(action, now_us))
        if action.kind == "give_up":
            self._give_up(place)
        elif isinstance(slot, StoredSlot):
            fetch = slot.stored.fetch(self.question, self.course.at_s(action.until_us))
            self._attempts.race.spawn(place, fetch)
        else:
            self._attempts.harvest(self._attempts.begin(place, slot, "harvest"), self.question)

    def _is_alone(self, action: Action) -> bool:
        """Tell whether nothing can run beside what ``action`` starts, and nothing outlive it."""
        return (
            action.wake_us >= action.until_us
            and self._attempts.is_quiet
            and (action.until_us >= NEVER_US or not self.course.prepared.policy.harvests)
            and self._is_last(action.candidate)
        )

    def _is_last(self, place: int) -> bool:
        """Tell whether every other candidate has been asked, so that only the floor is left."""
        others = len(self._slots) - 1
        if others > len(self.course.events):
            return False
        return not others or len(self.course.asked(place)) > others

    def _hedge(self, action: Action, slot: LiveSlot, now_us: int) -> None:
        place, attempts = action.candidate, self._attempts
        refused = hedges.refused(self._exchange, attempts.running[0].deployment.id, slot)
        if refused:
            self.course.events.append(Event(now_us, place, "no_hedge", refused))
            return
        self.course.events.append(carried_out(action, now_us))
        run = attempts.begin(place, slot, "hedge")
        attempts.race.spawn(place, run.listen(attempts.last_s))

    def _give_up(self, place: int) -> None:
        run = self._attempts.get(place)
        if run is None:
            self._attempts.race.cancel(place)
            return
        self._reasons.gave_up(place)
        policy = self.course.prepared.policy
        if not (policy.lingers or policy.harvests):
            self._attempts.race.cancel(place)
            run.lost("gave_up")

    # What happens.

    def _news(self) -> Run | None:
        """Note what has ended; return the first attempt that has content."""
        if self._attempts.is_quiet:
            return None
        while (ended := self._attempts.race.take()) is not None:
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
            self.course.note(place, "content")
            return run
        return None

    def _failed(self, run: Run, failure: Failure) -> None:
        """Note a failure.

        Raises:
            RelayedFailure: It is the request's own, and nobody else is to be asked.
        """
        run.failed(failure)
        self.course.note(run.place, "failed", failure.reason)
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
            self.course.note(place, "empty")
            return
        self._answers[place] = answer
        self.course.note(
            place, "ready", "fresh" if answer.is_fresh or answer.revalidate else "stale"
        )

    # Who speaks.

    def _first_content(self, run: Run) -> Run:
        """Let ``run`` speak: what the planner says of a first content, whatever else there is."""
        self._speaks(run, self.course.now_us())
        self._attempts.end_all_but(run, self._reasons.by_place, None)
        return run

    def _speaks(self, run: Run, now_us: int) -> None:
        if run.place:
            self._note_skipped(run.place, now_us)
        self.course.events.append(Event(now_us, run.place, "spoke", "first_content"))

    def _last_word(self, action: Action, now_us: int) -> Voice:
        """Let a stored rung or the floor speak; what runs may go on for later requests."""
        place = action.candidate if action.kind == "speak" else len(self._slots)
        self._note_skipped(place, now_us)
        if action.kind != "stop":
            self.course.events.append(carried_out(action, now_us))
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
            self._attempts.revalidate(self.course, self._slots, self.question)
        return Stored(kind, answer, self._reasons.last(answer.reason))

    def _note_skipped(self, speaker: int, now_us: int) -> None:
        """Note the live candidates before ``speaker`` that were planned around, and why."""
        reasons = note_skipped(self._exchange, self.course, self._slots, speaker, now_us)
        self._reasons.by_place.update(reasons)
