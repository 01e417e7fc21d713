"""How strongly a run of tries speaks for a change: an e-detector on exceedances. Pure.

A try is reduced to one bit: was it slower than a threshold that a known part of healthy tries
exceeds? A bit cannot be moved far by one wild value, so heavy tails need no model. If the part of
exceedances is at most ``tolerated``, the likelihood ratio against ``alternative`` is a martingale
or shrinks; restarted whenever it falls below 1 (Page's CUSUM), it stays below the sum over all
possible change points, whose expectation after n tries is at most n. So the mean number of tries
between false alarms is at least ``exp(ALARM_NATS)``, whatever the latencies' distribution. Mixing
over alternatives keeps that and sees small changes as well as large ones.

Sources: Page (1954), Biometrika 41:100-115; Lorden (1971), Annals of Mathematical Statistics
42:1897-1908; Shin, Ramdas, Rinaldo (2024), "E-detectors: a nonparametric framework for sequential
change detection", New England Journal of Statistics in Data Science 2(2), sections 2 and 4.
"""

from math import log
from typing import Final

ALARM_NATS: Final = 16.0
"""Threshold: one false alarm in at least exp(16) tries, 1.03 days at 100 requests a second.

That is the bound for a deployment that is as bad as is tolerated at every moment; others are far
below it (``benchmarks/drift``).
"""


class Evidence:
    """Accumulates for one claim: "more than ``tolerated`` of the tries exceed"."""

    __slots__ = ("_alarm", "_nats", "_steps")

    def __init__(
        self, tolerated: float, alternatives: tuple[float, ...], alarm_nats: float = ALARM_NATS
    ) -> None:
        """Take the tolerated part of exceedances, and the parts to be told from it, all in (0, 1).

        The alternatives weigh the same, which costs each the logarithm of their number.
        """
        self._steps = tuple(
            (log(part / tolerated), log((1 - part) / (1 - tolerated))) for part in alternatives
        )
        self._nats = [0.0] * len(alternatives)
        self._alarm = alarm_nats + log(len(alternatives))

    def take(self, tries: int, exceeded: int) -> bool:
        """Take the bits of some tries; return whether the evidence now suffices for an alarm."""
        nats = self._nats
        for index, (up, down) in enumerate(self._steps):
            nats[index] = max(nats[index], 0.0) + exceeded * up + (tries - exceeded) * down
        return max(nats) >= self._alarm

    @property
    def nats(self) -> float:
        """How much there is, 0 to about ``ALARM_NATS``."""
        return max(max(self._nats), 0.0)

    def clear(self) -> None:
        """Forget everything, after an alarm has been acted on."""
        self._nats = [0.0] * len(self._nats)
