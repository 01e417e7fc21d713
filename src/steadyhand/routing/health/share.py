"""The part of requests that a deployment is given: cut by factors, regained by steps. Pure.

Additive increase and multiplicative decrease let several gateways that share a provider converge
without talking to each other (Chiu, Jain 1989, Computer Networks and ISDN Systems 17:1-14). A share
never falls below ``FLOOR``, so that there is always evidence of recovery; it never jumps back to
the whole; and it is regained by evidence *and* time, or, when nobody asks, by time alone, slowly.
"""

from typing import Final

FLOOR: Final = 0.05
"""Smallest share of a closed breaker."""

RAMP: Final = 0.1
"""Share with which a breaker that has closed again begins."""

_CUT: Final = 0.4
_REGAIN_PER_S: Final = 0.15
_LONGEST_STEP_S: Final = 2.0
_IDLE_PER_S: Final = 1 / 600


class Share:
    """One share.

    Attributes:
        value: ``FLOOR`` to 1.
        reason: Why it is so; ``steady`` when it is whole.
        cut_s: When it was last cut.
    """

    __slots__ = ("_moved_s", "cut_s", "reason", "value")

    def __init__(self) -> None:
        self.value = 1.0
        self.reason = "steady"
        self.cut_s = 0.0
        self._moved_s = 0.0

    def cut(self, now_s: float, reason: str) -> None:
        """Take a part away."""
        self.value = max(FLOOR, self.value * _CUT)
        self.reason = reason
        self.cut_s = self._moved_s = now_s

    def ramp(self, now_s: float) -> None:
        """Begin small, after an outage."""
        self.value = min(self.value, RAMP)
        self.reason = "ramp"
        self.cut_s = self._moved_s = now_s

    def regain(self, now_s: float) -> None:
        """Give back what the time since the last step allows: tries have gone well since."""
        self._give(now_s, _REGAIN_PER_S * min(now_s - self._moved_s, _LONGEST_STEP_S))

    def rest(self, now_s: float) -> None:
        """Give back the little that time alone allows: nobody has asked."""
        self._give(now_s, _IDLE_PER_S * (now_s - self._moved_s))

    def _give(self, now_s: float, part: float) -> None:
        self._moved_s = now_s
        self.value += part
        if self.value >= 1.0:
            self.value, self.reason = 1.0, "steady"
