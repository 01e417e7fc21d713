"""Tries that began together, and become evidence when they are old enough. Pure.

Whether a try is slow is known at the latest when it is as old as the threshold, answered or not:
that is how a model that has fallen silent is seen before any response comes. To count answers as
they come and silence when its time is up would put the quick before the slow, and a burst would
read as a drift. So tries are taken up in the order in which they began: those of one slice of time
are a cohort, and a cohort is counted once, when its youngest try has reached the threshold.
"""

from collections import deque
from typing import Final

from steadyhand.routing.health.reference import WARM, WARM_TAIL, Reference

SLICE_S: Final = 0.05
"""Seconds that the tries of one cohort may lie apart, at least."""

_SLICES: Final = 64  # cohorts waiting in one class, at most, about


class Cohort:
    """Some tries of one size class that began within one slice of time.

    Attributes:
        usual_s: Of the reference, fixed when the first of these tries began; 0 for unknown.
        body_s: Likewise.
        tail_s: Likewise.
        is_warm: Whether ``body_s`` was learned from enough tries to count.
        is_tail_warm: Whether ``tail_s`` was.
        epoch: Of the clock in which they began (see :class:`Pulse`).
        began_s: Of the first.
        ends_s: No try that begins later is one of them.
        tries: How many have begun.
        usual_in: How many had content within ``usual_s``.
        body_in: How many had content within ``body_s``.
        tail_in: How many had content within ``tail_s``.
        body_unknown: How many ended before ``body_s`` for another reason than slowness.
        tail_unknown: How many ended before ``tail_s`` likewise.
    """

    __slots__ = (
        "began_s",
        "body_in",
        "body_s",
        "body_unknown",
        "ends_s",
        "epoch",
        "is_tail_warm",
        "is_warm",
        "tail_in",
        "tail_s",
        "tail_unknown",
        "tries",
        "usual_in",
        "usual_s",
    )

    def __init__(self, reference: Reference, began_s: float, epoch: int) -> None:
        self.usual_s = reference.usual_s
        self.body_s = reference.body_s
        self.tail_s = reference.tail_s
        self.is_warm = reference.samples >= WARM
        self.is_tail_warm = reference.tails >= WARM_TAIL
        self.epoch = epoch
        self.began_s = began_s
        self.ends_s = began_s + max(SLICE_S, self.tail_s / _SLICES)
        self.tries = 0
        self.usual_in = 0
        self.body_in = 0
        self.tail_in = 0
        self.body_unknown = 0
        self.tail_unknown = 0

    def content(self, age_s: float) -> None:
        """Count that a try had content at ``age_s``."""
        if age_s <= self.body_s:
            self.usual_in += age_s <= self.usual_s
            self.body_in += 1
            self.tail_in += 1
        elif age_s <= self.tail_s:
            self.tail_in += 1

    def lost(self, age_s: float) -> None:
        """Count that a try ended at ``age_s`` without having shown how fast it is."""
        if age_s < self.body_s:
            self.body_unknown += 1
            self.tail_unknown += 1
        elif age_s < self.tail_s:
            self.tail_unknown += 1


class SizeClass:
    """Reference and waiting cohorts of one size class.

    Attributes:
        reference: What its thresholds are.
        current: The cohort that tries beginning now belong to, unless its time is over.
        body: Cohorts whose body threshold has not passed, oldest first.
        tail: Likewise of the tail threshold.
    """

    __slots__ = ("_watches_body", "body", "current", "reference", "tail")

    def __init__(self, *, watches_body: bool) -> None:
        """``watches_body`` tells whether the ages of tries may be held to the body threshold."""
        self._watches_body = watches_body
        self.reference = Reference()
        self.current: Cohort | None = None
        self.body: deque[Cohort] = deque()
        self.tail: deque[Cohort] = deque()

    def join(self, now_s: float, epoch: int) -> Cohort:
        """Return the cohort of a try that begins now."""
        cohort = self.current
        if cohort is None or now_s >= cohort.ends_s or cohort.epoch != epoch:
            cohort = self.current = Cohort(self.reference, now_s, epoch)
            if cohort.body_s:
                self.tail.append(cohort)
                if self._watches_body:
                    self.body.append(cohort)
        cohort.tries += 1
        return cohort


class Pace:
    """Answers of one size class that have ended since they were last counted.

    Attributes:
        reference: What their latencies are held against.
        tries: How many have ended.
        above: How many took longer than usual.
        slow: How many took longer than the body threshold.
    """

    __slots__ = ("above", "reference", "slow", "tries")

    def __init__(self) -> None:
        self.reference = Reference()
        self.tries = self.above = self.slow = 0

    def clear(self) -> None:
        """Begin to count again."""
        self.tries = self.above = self.slow = 0


class Pulse:
    """Tells a suspended or stalled process from a slow provider; one for all deployments.

    The gateway's loop beats several times a second. If a beat is late by more than ``GAP_S``, the
    loop or the machine stood still, and nothing that was in flight says anything about a provider:
    its epoch is over. Without any beat (the book is used without a loop) there are no epochs.

    Attributes:
        epoch: Counts the gaps.
        last_s: Monotonic second of the last beat; 0 for none.
    """

    __slots__ = ("epoch", "last_s")

    GAP_S: Final = 2.0

    def __init__(self) -> None:
        self.epoch = 0
        self.last_s = 0.0

    def beat(self, now_s: float) -> None:
        """Note that the loop runs."""
        self.look(now_s)
        self.last_s = now_s

    def look(self, now_s: float) -> int:
        """Return the epoch; a new one if a beat is overdue."""
        if self.last_s and now_s - self.last_s > self.GAP_S:
            self.epoch += 1
            self.last_s = now_s
        return self.epoch
