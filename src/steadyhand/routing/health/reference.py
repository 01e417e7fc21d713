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

BODY_PART: Final = 0.4
"""Part of healthy tries that are slower than the body threshold."""

TAIL_PART: Final = 0.05
"""Part of healthy tries that are slower than the tail threshold."""

FIRST: Final = 16
"""Latencies that are kept, once, to begin with."""

_LARGEST_STEP: Final = 0.01  # of the memory, for one batch: seldom asked is slowly changed
_NORMAL_SPREAD: Final = 1.392  # between those two quantiles of a standard normal
_BODY_DENSITY: Final = 0.386  # of a standard normal at those quantiles
_TAIL_DENSITY: Final = 0.103
_LEAST_SPREAD: Final = 0.05


class Reference:
    """Thresholds of one size class.

    Attributes:
        body_s: Seconds that ``BODY_PART`` of healthy tries exceed; 0 until known.
        tail_s: Seconds that ``TAIL_PART`` of healthy tries exceed; 0 until known.
        samples: Tries that it has been learned from.
    """

    __slots__ = (
        "_body_at_s",
        "_first",
        "_log_body",
        "_log_tail",
        "_tail_at_s",
        "body_s",
        "samples",
        "tail_s",
    )

    def __init__(self) -> None:
        self.body_s = 0.0
        self.tail_s = 0.0
        self.samples = 0
        self._first: list[float] | None = []
        self._log_body = 0.0
        self._log_tail = 0.0
        self._body_at_s = 0.0
        self._tail_at_s = 0.0

    def begin(self, latency_s: float, now_s: float) -> None:
        """Take one of the first latencies; with the last of them the thresholds are known."""
        first = self._first
        if first is None:
            return
        first.append(log(max(latency_s, 1e-6)))
        if len(first) == FIRST:
            first.sort()
            self._first = None
            self._log_body = first[int(FIRST * (1 - BODY_PART))]
            self._log_tail = max(first[-1], self._log_body + 2 * _LEAST_SPREAD)
            self.samples = FIRST
            self._body_at_s = self._tail_at_s = now_s
            self._publish()

    def body(self, tries: int, exceeded: int, now_s: float) -> None:
        """Move the body threshold by the bits of some tries."""
        self.samples += tries
        elapsed_s, self._body_at_s = now_s - self._body_at_s, now_s
        self._log_body += self._step(tries, elapsed_s, _BODY_DENSITY) * (
            exceeded / tries - BODY_PART
        )
        self._publish()

    def tail(self, tries: int, exceeded: int, now_s: float) -> None:
        """Move the tail threshold by the bits of some tries."""
        elapsed_s, self._tail_at_s = now_s - self._tail_at_s, now_s
        self._log_tail += self._step(tries, elapsed_s, _TAIL_DENSITY) * (
            exceeded / tries - TAIL_PART
        )
        self._publish()

    def _step(self, tries: int, elapsed_s: float, density: float) -> float:
        spread = max(_LEAST_SPREAD, (self._log_tail - self._log_body) / _NORMAL_SPREAD)
        part = max(tries / self.samples, min(elapsed_s / MEMORY_S, _LARGEST_STEP))
        return spread / density * part

    def _publish(self) -> None:
        self._log_tail = max(self._log_tail, self._log_body + _LEAST_SPREAD)
        self.body_s = exp(self._log_body)
        self.tail_s = exp(self._log_tail)
