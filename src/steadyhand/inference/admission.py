"""Shall a request wait for a model, or be refused now? Pure.

A queue that outlasts the deadline is worth less than an early no: the caller's ladder can use the
time. So a request waits only if the wait that is to be expected, and what it costs itself, fit
into what it has left. A request that finds a free slot is never refused, whatever was learned:
else a model that was slow once would never be measured again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heapreplace
from typing import Literal

WEIGHT = 0.2
"""Of the newest observation in a learned mean: about the last ten count."""

Refusal = Literal["model_busy", "model_queue_full"]


@dataclass(frozen=True, slots=True)
class Costs:
    """Learned times in seconds; ``None`` while nothing was seen.

    Attributes:
        slot_s: How long a request keeps its slot.
        first_content_s: From its slot to the first content of a stream.
        whole_s: From its slot to the end of an answer that is not a stream.
    """

    slot_s: float | None = None
    first_content_s: float | None = None
    whole_s: float | None = None

    def after(self, seen: "Seen") -> "Costs":
        """Return the costs with one more request taken into account."""
        first, whole = self.first_content_s, self.whole_s
        if seen.first_content_s is not None:
            first = _mean(first, seen.first_content_s)
        elif seen.is_stream:
            first = _at_least(first, seen.slot_s)
        if not seen.is_stream:
            whole = (_mean if seen.is_whole else _at_least)(whole, seen.slot_s)
        return Costs(_mean(self.slot_s, seen.slot_s), first, whole)

    def need_s(self, *, is_stream: bool) -> float:
        """Return what a request needs once it has a slot; 0 while that is not known."""
        return (self.first_content_s if is_stream else self.whole_s) or 0.0


@dataclass(frozen=True, slots=True)
class Seen:
    """How one request went.

    Attributes:
        is_stream: Whether it was a stream.
        slot_s: How long it kept its slot.
        first_content_s: From its slot to its first content, ``None`` if it was given up before.
        is_whole: Whether it ended by itself.
    """

    is_stream: bool
    slot_s: float
    first_content_s: float | None
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Bench:
    """Who works and who waits.

    Attributes:
        slots: Requests that can be generated at once.
        ages_s: For each that is being generated, how long it has had its slot.
        waiting: Requests that wait.
        max_queue: How many may.
    """

    slots: int
    ages_s: Sequence[float]
    waiting: int
    max_queue: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a request.

    Attributes:
        refusal: Why it is refused, or ``None`` if it is not.
        wait_s: What it must expect to wait for a slot.
    """

    refusal: Refusal | None
    wait_s: float


def decide(remaining_s: float, bench: Bench, costs: Costs, *, is_stream: bool) -> Verdict:
    """Say whether a request that has ``remaining_s`` left may wait."""
    if len(bench.ages_s) < bench.slots and not bench.waiting:
        return Verdict(None, 0.0)
    wait = wait_s(bench, costs)
    if bench.waiting >= bench.max_queue:
        return Verdict("model_queue_full", wait)
    if wait + costs.need_s(is_stream=is_stream) > remaining_s:
        return Verdict("model_busy", wait)
    return Verdict(None, wait)


def wait_s(bench: Bench, costs: Costs) -> float:
    """Return when the slot of the next one to come is free, if all keep theirs as is usual."""
    usual_s = costs.slot_s or 0.0
    free_in = [max(0.0, usual_s - age_s) for age_s in bench.ages_s]
    free_in += [0.0] * (bench.slots - len(free_in))
    heapify(free_in)
    for _ in range(bench.waiting):
        heapreplace(free_in, free_in[0] + usual_s)
    return free_in[0]


def _mean(old: float | None, new: float) -> float:
    return new if old is None else old + WEIGHT * (new - old)


def _at_least(old: float | None, new: float) -> float | None:
    """Learn from one that was given up: it would have taken longer than this."""
    return _mean(old, new) if old is None or new > old else old
