"""The course of one climb: what has happened, what the planner says to it, what the record keeps.

It knows no request and no attempt. So what a record is made from refers to nothing that refers to
it: a cycle would leave each request's memory to the garbage collector, which costs more than all
that is done here.
"""

from math import inf
from time import monotonic

from steadyhand.routing.planning.action import Action
from steadyhand.routing.planning.planner import decide
from steadyhand.routing.planning.prepared import Prepared
from steadyhand.routing.planning.progress import Progress
from steadyhand.routing.planning.situation import NEVER_US, Event, EventKind


class Course:
    """Events in order, and the clock of their request.

    Attributes:
        prepared: What the planner decides by.
        events: What has happened.
        draw: The request's random number, in [0, 1).
    """

    __slots__ = (
        "_budget_us", "_folded", "_noted", "_origin_s", "_stream", "draw", "events", "prepared",
    )  # fmt: skip

    def __init__(
        self, prepared: Prepared, draw: float, origin_s: float, deadline_s: float, *, stream: bool
    ) -> None:
        """Begin: nothing has happened.

        Args:
            prepared: What the planner decides by.
            draw: The request's random number, in [0, 1).
            origin_s: Monotonic second of the request's last byte.
            deadline_s: Likewise of its latency budget; ``inf`` for none.
            stream: Whether a stream was asked for.
        """
        self.prepared = prepared
        self.events: list[Event] = []
        self.draw = draw
        self._stream = stream
        self._origin_s = origin_s
        budget_s = deadline_s - origin_s
        self._budget_us = 0 if budget_s == inf else max(1, round(budget_s * 1e6))
        self._folded: Progress | None = None
        self._noted = 0

    def first(self, now_us: int) -> Action:
        """Return how to begin; no more than looks have happened."""
        return self.prepared.first(self._budget_us, self.draw, now_us, self.events)

    def next(self, now_us: int) -> Action:
        """Return what to do after all that has happened."""
        return decide(self.progress(), now_us)

    def progress(self) -> Progress:
        """Return how far this has come; each event is taken in once."""
        if self._folded is None:
            situation = self.prepared.situation(self._budget_us, self.draw, stream=self._stream)
            self._folded = Progress(situation)
        for event in self.events[self._noted :]:
            self._folded.note(event)
        self._noted = len(self.events)
        return self._folded

    def asked(self, place: int) -> set[int]:
        """Return the candidates of which something is known, and ``place``."""
        return {place, *(event.candidate for event in self.events)}

    def turned_to(self) -> set[int]:
        """Return the candidates that were asked or looked at; not those that were shut by then."""
        return {event.candidate for event in self.events if event.kind != "shut"}

    def note(self, place: int, kind: EventKind, detail: str = "") -> None:
        """Note what happens now."""
        self.events.append(Event(self.now_us(), place, kind, detail))

    def decision(self) -> bytes:
        """Return what the record keeps: from it the same decision can be made again."""
        return self.prepared.record(self._budget_us, self.draw, self.events, stream=self._stream)

    def now_us(self) -> int:
        """Return microseconds after the request's last byte."""
        return int((monotonic() - self._origin_s) * 1e6)

    def at_s(self, at_us: int) -> float:
        """Return the monotonic second of ``at_us``."""
        return inf if at_us >= NEVER_US else self._origin_s + at_us / 1e6
