"""What falls due next in an upstream exchange, for transports that do not time it themselves.

The rules are those of :class:`steadyhand.http.upstream.UpstreamConnection`, which keeps its own
times because it is on every request's path. Pure: the time is passed in.
"""

from enum import Enum
from math import inf

from steadyhand.http.failures import (
    ConnectTimedOut,
    FirstByteTimedOut,
    GaveUp,
    IdleTimedOut,
    PoolExhausted,
    TotalTimedOut,
    UpstreamError,
)
from steadyhand.http.messages import Limits


class Phase(Enum):
    """Where an exchange stands."""

    QUEUED = "waits for a connection"
    OPENING = "a connection is being opened for it"
    SENDING = "its request is leaving"
    SENT = "waits for the head of the response"
    READING = "a caller waits for body bytes"
    HELD = "nobody waits: the caller has yet to read"


class ExchangeClock:
    """The limits of one exchange and the phase it is in; monotonic seconds throughout."""

    __slots__ = ("_begun_s", "_limits", "_phase", "_phase_begun_s", "give_up_at_s")

    def __init__(self, limits: Limits, now_s: float) -> None:
        """Begin now, without a connection."""
        self._limits = limits
        self._begun_s = self._phase_begun_s = now_s
        self._phase = Phase.QUEUED
        self.give_up_at_s = limits.give_up_at_s

    @property
    def phase(self) -> Phase:
        """Where the exchange stands."""
        return self._phase

    def enter(self, phase: Phase, now_s: float) -> None:
        """Note that another phase begins."""
        self._phase = phase
        self._phase_begun_s = now_s

    def due(self) -> tuple[float, type[UpstreamError]]:
        """Return when the exchange must be cut, and the failure that it then is."""
        phase, total_at_s = self._phase, self._begun_s + self._limits.total_s
        bound_s, bound = self._of_phase()
        due_s: float = total_at_s
        failure: type[UpstreamError] = TotalTimedOut
        if bound_s < due_s:
            due_s, failure = bound_s, bound
        if self.give_up_at_s <= due_s:
            due_s, failure = self.give_up_at_s, GaveUp
        return due_s, PoolExhausted if phase is Phase.QUEUED else failure

    def _of_phase(self) -> tuple[float, type[UpstreamError]]:
        limits, begun_s = self._limits, self._phase_begun_s
        match self._phase:
            case Phase.QUEUED | Phase.OPENING:
                return begun_s + limits.connect_s, ConnectTimedOut
            case Phase.SENT:
                return begun_s + limits.first_byte_s, FirstByteTimedOut
            case Phase.READING:
                return begun_s + limits.idle_s, IdleTimedOut
            case _:
                return inf, TotalTimedOut
