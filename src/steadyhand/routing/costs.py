"""What a deployment usually takes: quantiles of lately seen times, in bounded memory. Pure.

Times are counted in buckets whose bounds grow by a constant factor, so that each quantile is
right within 2 % of its value (DDSketch: Masson, Rim and Lee, VLDB 2019). Old times fade instead
of being dropped: each new one weighs more than those before it, by count and by the clock
(forward decay: Cormode, Shkapenyuk, Srivastava and Xu, ICDE 2009), so nothing is ever cleared at
a step and a read costs no more than a walk over the buckets.

A rung that was left, or that is still silent, took *at least* so long. Such a censored time is
not an answer at that time: its weight goes to the times above it (the product-limit estimate:
Kaplan and Meier, 1958). Without that, a rung that is always left at 700 ms would seem to
answer at 700 ms.
"""

from array import array
from collections.abc import Iterator
from math import log
from typing import Final

from steadyhand.routing.planning.situation import Cost

ERROR: Final = 0.02
"""Greatest relative error of a quantile among :data:`LEAST_US` to :data:`MOST_US`."""

LEAST_US: Final = 50
MOST_US: Final = 3_600_000_000

HALF_LIFE_SAMPLES: Final = 500
"""After so many newer times, one weighs half: some 720 times count, at p99 the seven slowest."""

HALF_LIFE_S: Final = 300.0
"""After so many seconds, one weighs half, even if nothing newer came."""

BEYOND: Final = 2
"""A quantile above the longest time seen is given as so many times that."""

_GROWTH: Final = (1 + ERROR) / (1 - ERROR)
_PER_BUCKET: Final = 1 / log(_GROWTH)
_FIRST: Final = int(log(LEAST_US) * _PER_BUCKET)
_BUCKETS: Final = int(log(MOST_US) * _PER_BUCKET) - _FIRST + 1
_PER_SAMPLE: Final = 2 ** (1 / HALF_LIFE_SAMPLES)
_TICK_S: Final = 1.0
_FORGOTTEN: Final = 60.0  # half-lives after which nothing of the past counts
_TOO_HEAVY: Final = 1e100
_NOTHING: Final = 1e-9
_WANTED: Final = (0.5, 0.9, 0.99)


class CostSketch:
    """Times of one deployment, for streams or for whole answers; some 7 KB whatever it has seen."""

    __slots__ = ("_at_s", "_high", "_left", "_low", "_seen", "_total", "_weight")

    def __init__(self) -> None:
        """Know nothing."""
        self._seen = array("d", bytes(8 * _BUCKETS))
        self._left = array("d", bytes(8 * _BUCKETS))
        self._low, self._high = _BUCKETS, -1  # of the buckets ever used
        self._total = 0.0
        self._weight = 1.0
        self._at_s = 0.0

    def add(self, took_us: int, now_s: float) -> None:
        """Count an answer that took ``took_us``; ``now_s`` is monotonic."""
        self._count(took_us, now_s, is_answer=True)

    def add_censored(self, age_us: int, now_s: float) -> None:
        """Count a call that had not answered at ``age_us``: given up, cancelled, or in flight."""
        self._count(age_us, now_s, is_answer=False)

    def cost(self, now_s: float) -> Cost:
        """Return the quantiles, and how many times they stand on after fading."""
        self._fade(now_s)
        samples = int(self._total / self._weight)
        if not samples:
            return Cost()
        found = list(self._quantiles())
        last = _middle_us(self._high) * BEYOND
        p50_us, p90_us, p99_us = found + [last] * (len(_WANTED) - len(found))
        return Cost(p50_us, p90_us, p99_us, samples)

    def _count(self, time_us: int, now_s: float, *, is_answer: bool) -> None:
        """Count one time at its weight. Each answer is: all in one call."""
        if now_s - self._at_s >= _TICK_S:
            self._fade(now_s)
        weight = self._weight = self._weight * _PER_SAMPLE
        self._total += weight
        bucket = 0
        if time_us > LEAST_US:
            bucket = min(int(log(time_us) * _PER_BUCKET) - _FIRST, _BUCKETS - 1)
        if bucket < self._low:
            self._low = bucket
        if bucket > self._high:
            self._high = bucket
        (self._seen if is_answer else self._left)[bucket] += weight
        if weight > _TOO_HEAVY:
            self._scale(1 / weight)
            self._weight = 1.0

    def _fade(self, now_s: float) -> None:
        passed = (now_s - self._at_s) / HALF_LIFE_S
        if passed <= 0.0:
            return
        self._at_s = now_s
        if passed > _FORGOTTEN:
            self._scale(0.0)
            self._low, self._high = _BUCKETS, -1
        else:
            self._weight *= 2**passed

    def _scale(self, factor: float) -> None:
        self._seen = array("d", [weight * factor for weight in self._seen])
        self._left = array("d", [weight * factor for weight in self._left])
        self._total *= factor

    def _quantiles(self) -> Iterator[int]:
        """Yield the wanted quantiles in order; those above all answers are left out."""
        wanted = iter(_WANTED)
        missing = 1.0 - next(wanted)
        at_risk, surviving = self._total, 1.0
        used = slice(self._low, self._high + 1)
        pairs = zip(self._seen[used], self._left[used], strict=True)
        for bucket, (seen, left) in enumerate(pairs, self._low):
            if seen:
                surviving *= max(0.0, 1.0 - seen / at_risk)
                while surviving <= missing + _NOTHING:
                    yield _middle_us(bucket)
                    share = next(wanted, None)
                    if share is None:
                        return
                    missing = 1.0 - share
            at_risk -= seen + left


def _middle_us(bucket: int) -> int:
    """Return the time that is within the stated error of every time in ``bucket``."""
    below: float = _GROWTH ** (bucket + _FIRST)
    return round(2 * below * _GROWTH / (1 + _GROWTH))
