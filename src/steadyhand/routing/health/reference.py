"""The level that healthy latency keeps to: two quantiles of log latency, tracked slowly. Pure.

Only the bit "slower than the threshold" is used, once per try, when the try is as old as the
threshold: it is known then whether or not an answer has come. So tries in flight bias nothing, and
no sample is kept. Steps are Robbins and Monro's, 1/n at first; later they are set by time, so that
the reference forgets over ``MEMORY_S`` at any rate of requests: daily swings are followed, a ramp
of minutes is not. (Robbins, Monro 1951, Annals of Mathematical Statistics 22:400-407; Gibbs,
Candès 2021, "Adaptive conformal inference under distribution shift", for the long-run rate.)
"""

from math import exp, log
from typing import Final

MEMORY_S: Final = 600.0
"""Seconds over which the reference follows what has changed."""

BODY_PART: Final = 0.6
"""Part of healthy tries that are slower than the usual latency."""

MARGIN: Final = 1.25
"""Latency over the usual up to which nothing is called a drift: providers wander by themselves."""

TAIL_PART: Final = 0.05
"""Part of healthy tries that are slower than the tail threshold, at most."""

WARM: Final = 128
"""Tries after which a body threshold counts: its error is then far below the margin."""

WARM_TAIL: Final = 256
"""Tries after which a tail threshold counts."""

TICKETS: Final = 32
"""Tries that a class begins to learn from, in the order in which they began."""

_KNOWN: Final = 21  # of them must have answered: more than the body quantile needs
_LOG_TAIL_MARGIN: Final = log(2)
_LARGEST_STEP: Final = 0.01  # of the memory, for one batch: seldom asked is slowly changed
_NORMAL_SPREAD: Final = 1.898  # between those two quantiles of a standard normal
_BODY_DENSITY: Final = 0.386  # of a standard normal at those quantiles
_TAIL_DENSITY: Final = 0.103
_LEAST_SPREAD: Final = 0.365  # of a tail at twice the usual
_LARGEST_SPREAD: Final = 1.5
_UPPER_PART: Final = 0.38  # the quantile that the first spread is taken from
_FIRST_SPREAD: Final = 0.559  # between the usual and that one of a standard normal
_LARGEST_MOVE: Final = 0.25  # of a threshold, in log seconds, at once


class Reference:
    """Thresholds of one size class.

    Attributes:
        usual_s: Seconds that ``BODY_PART`` of healthy tries exceed; 0 until known.
        body_s: ``MARGIN`` times as much: the same part exceeds it only when all are that slower.
        tail_s: Seconds that ``TAIL_PART`` of healthy tries exceed, at least twice the usual.
        samples: Tries that the body threshold has been learned from.
        tails: Tries that the tail threshold has been learned from.
    """

    __slots__ = (
        "_body_at_s",
        "_first",
        "_log_body",
        "_log_tail",
        "_tail_at_s",
        "_tickets",
        "body_s",
        "samples",
        "tail_s",
        "tails",
        "usual_s",
    )

    def __init__(self) -> None:
        self.usual_s = 0.0
        self.body_s = 0.0
        self.tail_s = 0.0
        self.samples = 0
        self.tails = 0
        self._first: list[float] = []
        self._tickets = 0
        self._log_body = 0.0
        self._log_tail = 0.0
        self._body_at_s = 0.0
        self._tail_at_s = 0.0

    def ticket(self) -> bool:
        """Tell whether a try that begins now is one of the first, to be learned from."""
        if self.body_s or self._tickets == TICKETS:
            return False
        self._tickets += 1
        return True

    def missed(self) -> None:
        """Take back the ticket of a try that ended without an answer."""
        self._tickets -= 1

    def begin(self, latency_s: float, now_s: float, of: int = TICKETS) -> None:
        """Take one of the first latencies; when enough are in, the thresholds are known.

        Quick answers come first: taken as they come, they would pass for all. So ``of`` tries are
        asked, and those still missing count as slower than those that have come.
        """
        first = self._first
        if self.body_s:
            return
        first.append(log(max(latency_s, 1e-6)))
        if len(first) < _KNOWN:
            return
        first.sort()
        self._log_body = first[int(of * (1 - BODY_PART))]
        spread = (first[int(of * (1 - _UPPER_PART))] - self._log_body) / _FIRST_SPREAD
        self._log_tail = self._log_body + _NORMAL_SPREAD * spread
        self.samples = self.tails = of
        self._body_at_s = self._tail_at_s = now_s
        first.clear()
        self._publish()

    def body(self, tries: int, exceeded: int, now_s: float) -> None:
        """Move the usual latency by the bits of some tries: how many took longer."""
        self.samples += tries
        elapsed_s, self._body_at_s = now_s - self._body_at_s, now_s
        step = self._step(tries / self.samples, elapsed_s, _BODY_DENSITY)
        self._log_body += _within(step * (exceeded / tries - BODY_PART))
        self._publish()

    def tail(self, tries: int, exceeded: int, now_s: float) -> None:
        """Move the tail threshold by the bits of some tries."""
        self.tails += tries
        elapsed_s, self._tail_at_s = now_s - self._tail_at_s, now_s
        step = self._step(tries / self.tails, elapsed_s, _TAIL_DENSITY)
        self._log_tail += _within(step * (exceeded / tries - TAIL_PART))
        self._publish()

    def _step(self, part_new: float, elapsed_s: float, density: float) -> float:
        spread = (self._log_tail - self._log_body) / _NORMAL_SPREAD
        spread = min(max(spread, _LEAST_SPREAD), _LARGEST_SPREAD)
        part = max(part_new, min(elapsed_s / MEMORY_S, _LARGEST_STEP))
        return spread / density * part

    def _publish(self) -> None:
        self._log_tail = max(self._log_tail, self._log_body + _LOG_TAIL_MARGIN)
        self.usual_s = exp(self._log_body)
        self.body_s = MARGIN * self.usual_s
        self.tail_s = exp(self._log_tail)


def _within(move: float) -> float:
    """Return ``move``, no larger than a threshold may be moved at once."""
    return min(max(move, -_LARGEST_MOVE), _LARGEST_MOVE)
