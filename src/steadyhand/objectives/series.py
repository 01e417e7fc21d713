"""What was counted, moment by moment, and its increase over a window as Prometheus makes it. Pure.

Old samples are thinned out, so that a month costs some thousand of them.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple

HOUR_S: Final = 3_600
DAY_S: Final = 86_400
TIERS: Final[Sequence[tuple[int, int]]] = (
    (HOUR_S, 0),
    (6 * HOUR_S, 60),
    (3 * DAY_S, 300),
)
"""(age, apart): samples up to this age stand at least so far apart, seconds."""
OLDEST_APART_S: Final = HOUR_S
_THINNED_EACH: Final = 256
"""Samples are thinned when so many are new."""
_MS: Final = 1_000
"""Times are kept in whole milliseconds, as Prometheus does, so that differences are exact."""
_NEAR: Final = 1.1
"""A series that begins or ends within this many intervals of the window's edge goes up to it."""


class Counted(NamedTuple):
    """Events and bad ones among them."""

    events: float
    bad: float

    @property
    def ratio(self) -> float | None:
        """Share of bad ones; ``None`` if there was nothing."""
        return self.bad / self.events if self.events > 0 else None


class Series:
    """Two counters that only grow, of one objective, over time."""

    __slots__ = ("_bad", "_events", "_new", "_times", "keep_s")

    def __init__(self, keep_s: float) -> None:
        """Take for how long samples are kept."""
        self.keep_s = keep_s
        self._times = array("d")
        self._events = array("d")
        self._bad = array("d")
        self._new = 0

    def __len__(self) -> int:
        return len(self._times)

    def add(self, at_s: float, events: float, bad: float) -> None:
        """Add the counters at a moment; one that is not later than the last is passed over."""
        at_ms = float(round(at_s * _MS))
        if self._times and at_ms <= self._times[-1]:
            return  # the clock was set back: better a gap than a lie
        self._times.append(at_ms)
        self._events.append(events)
        self._bad.append(bad)
        self._new += 1
        if self._new >= _THINNED_EACH:
            self._thin(at_ms)

    def increase(self, at_s: float, window_s: float) -> Counted | None:
        """Return what was counted in the window that ends at ``at_s``, extrapolated to its edges.

        As ``increase()`` of Prometheus 2.42 (``extrapolatedRate`` in ``promql/functions.go``);
        ``None`` with fewer than two samples.
        """
        now_ms = round(at_s * _MS)
        from_ms = now_ms - round(window_s * _MS)
        begin, end = bisect_left(self._times, from_ms), bisect_right(self._times, now_ms)
        if end - begin < 2:
            return None
        first_ms, last_ms = self._times[begin], self._times[end - 1]
        covered = _Covered(
            (last_ms - first_ms) / _MS, (first_ms - from_ms) / _MS, (now_ms - last_ms) / _MS
        )
        each_s = covered.sampled_s / (end - begin - 1)
        return Counted(
            _extrapolated(self._events[begin], self._events[end - 1], covered, each_s),
            _extrapolated(self._bad[begin], self._bad[end - 1], covered, each_s),
        )

    def since(self, at_s: float, window_s: float) -> Counted:
        """Return what was really counted in the window, as far as it is known."""
        if not self._times:
            return Counted(0.0, 0.0)
        from_ms = (at_s - window_s) * _MS
        begin = min(bisect_left(self._times, from_ms), len(self._times) - 1)
        first = max(0, begin - 1)  # the last one before the window has what it began with
        return Counted(self._events[-1] - self._events[first], self._bad[-1] - self._bad[first])

    def samples(self) -> Sequence[tuple[float, float, float]]:
        """Return every sample: when in seconds, events, bad ones."""
        times = (at_ms / _MS for at_ms in self._times)
        return list(zip(times, self._events, self._bad, strict=True))

    def _thin(self, now_ms: float) -> None:
        self._new = 0
        kept: list[int] = []
        last_s = float("-inf")
        for index, at_ms in enumerate(self._times):
            at_s = at_ms / _MS
            age_s = (now_ms - at_ms) / _MS
            if age_s > self.keep_s + OLDEST_APART_S:
                continue
            apart = next((gap for age, gap in TIERS if age_s <= age), OLDEST_APART_S)
            if at_s - last_s >= apart:
                kept.append(index)
                last_s = at_s
        self._times = array("d", (self._times[index] for index in kept))
        self._events = array("d", (self._events[index] for index in kept))
        self._bad = array("d", (self._bad[index] for index in kept))


class _Covered(NamedTuple):
    """How the samples lie in the window: between them, before the first, after the last."""

    sampled_s: float
    start_s: float
    end_s: float


def _extrapolated(first: float, last: float, covered: _Covered, each_s: float) -> float:
    grown = last - first
    sampled_s, start_s, end_s = covered
    if grown > 0:  # a counter is not below zero, so it may have begun inside the window
        start_s = min(start_s, sampled_s * (first / grown))
    whole_s = sampled_s
    whole_s += start_s if start_s < each_s * _NEAR else each_s / 2
    whole_s += end_s if end_s < each_s * _NEAR else each_s / 2
    return grown * (whole_s / sampled_s)
