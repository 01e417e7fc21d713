"""From what happened to requests to counts that decide: a fold, the same on every reading.

Counted are *bad events of units by the slice that they were assigned to*, whoever answered in the
end: a candidate whose every call fails over looks clean to its callers and is not. A unit speaks
once for each metric, the first time that it has a bad event in whatever slice, and never again: so
where it then stands is a fair draw whatever it has been through, also when weights have grown.
Whatever comes late is counted when it comes; nothing is counted twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple

from steadyhand.records.exposures.model import (
    CANDIDATE,
    COMPARED,
    CONTROL,
    ERROR,
    FALLBACK,
    INVALID,
    LATE,
    MEASURED,
    SLOTS,
    STABLE,
)
from steadyhand.rollouts.counts import Counts, Step, Window
from steadyhand.rollouts.model import ANY, METRICS, Metric, Policy

SHORT_S: Final = 10
LONG_S: Final = 45
KEPT_S: Final = 120
MOST_SEEN: Final = 20_000
"""Units whose slices are remembered for the test of the sample ratio; beyond it every second one is
forgotten, by a hash that knows nothing of slices."""

MOST_SPENT: Final = 1_000_000
"""Units that have spoken and are remembered; beyond it those that spoke first may speak again."""

_BIT: Final[Mapping[str, int]] = {name: 1 << place for place, name in enumerate((ANY, *METRICS))}


class Total(NamedTuple):
    """How many requests a slot had within a second.

    Attributes:
        weight: Of the candidate, basis points.
        controls: Number of control slices.
        slot: Where they were.
        second: Seconds since 1970.
        requests: How many.
    """

    weight: int
    controls: int
    slot: int
    second: int
    requests: int


class Bad(NamedTuple):
    """A request with something wrong.

    Attributes:
        unit: Who asked.
        slot: Where it was.
        weight: Of the candidate, basis points.
        controls: Number of control slices.
        second: Seconds since 1970.
        latency_us: How long it took.
        tokens: Read and written.
        flags: What went wrong, whatever the policy.
    """

    unit: int
    slot: int
    weight: int
    controls: int
    second: int
    latency_us: int
    tokens: int
    flags: int


class Measured(NamedTuple):
    """How many sampled answers of a slot could be measured.

    Attributes:
        weight: Of the candidate, basis points.
        controls: Number of control slices.
        slot: Where they were.
        answers: How many.
    """

    weight: int
    controls: int
    slot: int
    answers: int


class Seen(NamedTuple):
    """That a unit asked.

    Attributes:
        unit: Who.
        slot: Where it was.
        weight: Of the candidate, basis points.
        controls: Number of control slices.
    """

    unit: int
    slot: int
    weight: int
    controls: int


class Batch(NamedTuple):
    """Requests in the order in which they became known.

    Attributes:
        up_to: Number of the last.
        totals: All of them, by second.
        bad: Those with something wrong.
        seen: Those whose unit is remembered.
        measured: Sampled answers that could be measured, where they count.
    """

    up_to: int
    totals: Sequence[Total]
    bad: Sequence[Bad]
    seen: Sequence[Seen]
    measured: Sequence[Measured] = ()


class Evidence:
    """The fold."""

    def __init__(self, policy: Policy, *, is_first: bool) -> None:
        """Begin with nothing.

        Args:
            policy: Says what is slow and what is over cost.
            is_first: Whether the stable release itself is what is watched.
        """
        self.up_to = 0
        self.modulus = 1
        self._policy = policy
        self._mine = (STABLE,) if is_first else (COMPARED, CANDIDATE)
        self._is_first = is_first
        self._guarded = [0, 0]
        self._steps: dict[tuple[int, int], Step] = {}
        self._spent: dict[int, int] = {}
        self._seen: dict[int, tuple[tuple[int, int], int]] = {}
        self._recent: dict[int, tuple[list[int], list[int]]] = {}
        self._candidate_second = 0

    def add(self, batch: Batch, now_s: int) -> None:
        """Count a batch; a time after ``now_s``, from a clock that is ahead, is taken for now."""
        events: dict[int, int] = {}  # second → first bad events of the candidate
        for bad in batch.bad:
            if bad.flags & MEASURED:
                self._add_ungrounded(bad)
            elif self._add_bad(bad, now_s) and bad.slot in self._mine:
                at = min(bad.second, now_s)
                events[at] = events.get(at, 0) + 1
        for weight, controls, slot, second, requests in batch.totals:
            at = min(second, now_s)
            self._step(weight, controls).requests[slot] += requests
            self._second(at)[0][slot] += requests
            if slot in self._mine:
                self._candidate_second = max(self._candidate_second, at)
        self._guard(batch.totals, events, now_s)
        for weight, controls, slot, answers in batch.measured:
            self._step(weight, controls).measured[slot] += answers
        self._add_seen(batch.seen)
        self.up_to = batch.up_to
        for old in [second for second in self._recent if second < now_s - KEPT_S]:
            del self._recent[old]

    def counts(self, now_s: int) -> Counts:
        """Return what is known; the last seconds end with the one that was known last."""
        last = max((second for second in self._recent if second <= now_s), default=now_s)
        return Counts(
            tuple(self._steps.values()),
            Window(*self._guarded),
            self._window(last, SHORT_S, self._mine),
            self._window(last, LONG_S, self._mine),
            self._window(last, SHORT_S, (CONTROL,)),
            self._window(last, LONG_S, (CONTROL,)),
            self._candidate_second,
        )

    def _step(self, weight: int, controls: int) -> Step:
        found = self._steps.get((weight, controls))
        if found is None:
            found = self._steps[weight, controls] = Step(
                weight, controls, [0] * SLOTS, {}, {}, [0] * SLOTS, [0] * SLOTS
            )
        return found

    def _second(self, second: int) -> tuple[list[int], list[int]]:
        return self._recent.setdefault(second, ([0] * SLOTS, [0] * SLOTS))

    def _guard(self, totals: Sequence[Total], events: Mapping[int, int], now_s: int) -> None:
        """Count the candidate's seconds before which the control was within the service level."""
        mine: dict[int, int] = {}
        for total in totals:
            if total.slot in self._mine:
                at = min(total.second, now_s)
                mine[at] = mine.get(at, 0) + total.requests
        slo = self._policy.slo_percent / 100
        for second, requests in sorted(mine.items()):
            before = Counts(
                control_short=self._window(second - 1, SHORT_S, (CONTROL,)),
                control_long=self._window(second - 1, LONG_S, (CONTROL,)),
            )
            if self._is_first or before.control_is(slo) == "healthy":
                self._guarded[0] += requests
                self._guarded[1] += events.get(second, 0)

    def _add_bad(self, bad: Bad, now_s: int) -> bool:
        """Count one; tell whether it is its unit's first."""
        names = metrics_of(bad, self._policy)
        if not names:
            return False
        step, slot = self._step(bad.weight, bad.controls), bad.slot
        self._second(min(bad.second, now_s))[1][slot] += 1
        spent = self._spent.get(bad.unit, 0)
        before = spent & ~_BIT["ungrounded"]  # that says nothing of its requests
        for name in (ANY, *names):
            step.bad.setdefault(name, [0] * SLOTS)[slot] += 1
            if not spent & _BIT[name]:
                spent |= _BIT[name]
                step.events.setdefault(name, [0] * SLOTS)[slot] += 1
        self._spend(bad.unit, spent)
        return not before

    def _add_ungrounded(self, bad: Bad) -> None:
        """Count a sampled answer that was found ungrounded."""
        name: Metric = "ungrounded"
        step = self._step(bad.weight, bad.controls)
        step.bad.setdefault(name, [0] * SLOTS)[bad.slot] += 1
        spent = self._spent.get(bad.unit, 0)
        if not spent & _BIT[name]:
            step.events.setdefault(name, [0] * SLOTS)[bad.slot] += 1
            self._spend(bad.unit, spent | _BIT[name])

    def _spend(self, unit: int, spent: int) -> None:
        self._spent[unit] = spent
        if len(self._spent) > MOST_SPENT:
            for old in [*islice(self._spent, MOST_SPENT // 10)]:
                del self._spent[old]

    def _add_seen(self, seen: Iterable[Seen]) -> None:
        for unit, slot, weight, controls in seen:
            if unit % self.modulus or unit in self._seen:
                continue
            self._seen[unit] = ((weight, controls), slot)
            self._step(weight, controls).units[slot] += 1
        while len(self._seen) > MOST_SEEN:
            self.modulus *= 2
            for unit in [unit for unit in self._seen if unit % self.modulus]:
                place, slot = self._seen.pop(unit)
                self._steps[place].units[slot] -= 1

    def _window(self, last: int, seconds: int, slots: Sequence[int]) -> Window:
        requests = bad = 0
        for second in range(last - seconds + 1, last + 1):
            found = self._recent.get(second)
            if found is not None:
                requests += sum(found[0][slot] for slot in slots)
                bad += sum(found[1][slot] for slot in slots)
        return Window(requests, bad)


def metrics_of(bad: Bad, policy: Policy) -> list[Metric]:
    """Return which bad events a request was."""
    slow_us = policy.slow_ms * 1000
    found: list[Metric] = []
    if bad.latency_us > slow_us if slow_us else bad.flags & LATE:
        found.append("slow")
    if bad.flags & ERROR:
        found.append("error")
    if bad.flags & FALLBACK:
        found.append("fallback")
    if bad.flags & INVALID:
        found.append("invalid")
    if policy.most_tokens and bad.tokens > policy.most_tokens:
        found.append("over_cost")
    return found
