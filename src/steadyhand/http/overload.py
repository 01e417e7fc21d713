"""When to refuse requests, and how many, so that those admitted are answered in time. Pure.

**Signal.** A gateway process is one event loop. What arrives while the loop goes through one turn
waits for the next, so the length of a turn *is* the queueing delay, and a request sees three or
four of them. As in CoDel, a long turn alone means nothing; turns above ``target_s`` for a whole
``interval_s`` mean a standing queue.

**Control.** While shedding, a turn admits at most so many requests as fit: the allowance shrinks
when the admitted take too long and grows when they do not and something was refused. A loop that
always has as much work as fits into its target is never idle, so nothing of its capacity is given
away. What the refused of a turn cost, about an eighth of the admitted, is not held against the
admitted: else a storm of refusals would push them out. Only turns of several targets shrink the
allowance whatever they were made of, streams that were admitted long ago for example. Shedding
ends when nothing had to be refused for an interval.

The bound on requests in flight is a second, independent reason.

Source: Nichols, Jacobson: Controlling Queue Delay, ACM Queue 10(5), 2012.
"""

from dataclasses import dataclass

LOOP_LAG = "loop_lag"
IN_FLIGHT = "in_flight"
ALWAYS_ADMITTED = 16
"""Requests in flight below which a slow loop is no reason: a stalled machine is not a crowd."""

_SMOOTHING = 0.3
_REFUSAL_COST = 1 / 8
"""Of refusing, as a share of answering; see ``benchmarks/overload.py``."""
_LONGEST = 4.0
"""Turns of more targets than this are too long, whatever they were made of."""
_LEAST_SHARE = 1 / 32
"""Of what comes that is admitted in any case."""
_SHRINK, _GROW = 0.8, 1.1
"""Most that the allowance changes by in a turn."""


@dataclass(frozen=True, slots=True)
class OverloadLimits:
    """What is too much.

    Attributes:
        target_s: Length of a turn of the loop that is still good.
        interval_s: For how long turns must be longer before requests are refused.
        max_in_flight: Requests being answered at once; one more is refused.
    """

    target_s: float
    interval_s: float
    max_in_flight: int


class Overload:
    """Decides for one loop; times are monotonic seconds.

    Attributes:
        is_lagging: Turns were too long for too long: requests are shed.
        allowance: Requests that a turn may admit while that is so; below 1 it gathers over turns.
    """

    __slots__ = (
        "_above_since_s", "_credit", "_limits", "_refused_s", "_turn_s", "_work_s",
        "allowance", "is_lagging",
    )  # fmt: skip

    def __init__(self, limits: OverloadLimits) -> None:
        """Start calm."""
        self._limits = limits
        self._above_since_s: float | None = None
        self._refused_s = 0.0
        self._turn_s = self._work_s = 0.0
        self._credit = 0.0
        self.allowance = 0.0
        self.is_lagging = False

    def sampled(self, now_s: float, turn_s: float, requests: int) -> None:
        """Take a sample of a calm loop: the length of a turn, and the requests it took in."""
        limits = self._limits
        self._turn_s += _SMOOTHING * (turn_s - self._turn_s)
        if self._turn_s <= limits.target_s:
            self._above_since_s = None
        elif self._above_since_s is None:
            self._above_since_s = now_s
        elif now_s - self._above_since_s >= limits.interval_s:
            self.is_lagging = True
            self._refused_s = now_s
            self._work_s = self._turn_s
            self.allowance = max(1.0, requests * limits.target_s / self._turn_s)
            self._credit = self.allowance

    def refusal(self, in_flight: int) -> str:
        """Return why one more request is refused, or nothing if it is admitted."""
        if in_flight >= self._limits.max_in_flight:
            return IN_FLIGHT
        if not self.is_lagging or in_flight < ALWAYS_ADMITTED:
            return ""
        if self._credit < 1.0:
            return LOOP_LAG
        self._credit -= 1.0
        return ""

    def turned(self, now_s: float, turn_s: float, admitted: int, refused: int) -> None:
        """Learn from a turn of a lagging loop: what it admitted, and refused for the lag."""
        limits = self._limits
        paid = (admitted + 1) / (admitted + 1 + refused * _REFUSAL_COST)
        self._turn_s += _SMOOTHING * (turn_s - self._turn_s)
        self._work_s += _SMOOTHING * (turn_s * paid - self._work_s)
        room = limits.target_s / max(self._work_s, self._turn_s / _LONGEST, 1e-6)
        if refused:
            self._refused_s = now_s
        if room < 1.0 or refused:
            least = (admitted + refused) * _LEAST_SHARE
            changed = self.allowance * min(max(room, _SHRINK), _GROW)
            self.allowance = max(changed, least, _LEAST_SHARE)
        self._credit = min(self._credit + self.allowance, max(self.allowance, 1.0))
        if room >= 1.0 and now_s - self._refused_s >= limits.interval_s:
            self.is_lagging = False
            self._above_since_s = None
