"""Which limit falls due next in an exchange, and what it is called."""

from math import inf

import pytest

from steadyhand.http.exchange_clock import ExchangeClock, Phase
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


@pytest.mark.parametrize(
    ("phase", "give_up_at_s", "due_s", "failure"),
    [
        (Phase.QUEUED, inf, 112, PoolExhausted),
        (Phase.QUEUED, 111, 111, PoolExhausted),
        (Phase.OPENING, inf, 112, ConnectTimedOut),
        (Phase.SENDING, inf, 160, TotalTimedOut),
        (Phase.SENT, inf, 120, FirstByteTimedOut),
        (Phase.READING, inf, 115, IdleTimedOut),
        (Phase.HELD, inf, 160, TotalTimedOut),
        (Phase.HELD, 160, 160, GaveUp),
        (Phase.SENT, 120, 120, GaveUp),  # a tie is the caller's
        (Phase.READING, 140, 115, IdleTimedOut),
    ],
)
def test_the_earliest_limit_of_the_phase_speaks(
    phase: Phase, give_up_at_s: float, due_s: float, failure: type[UpstreamError]
) -> None:
    clock = ExchangeClock(Limits(2, 10, 5, 60, inf), 100)
    clock.enter(phase, 110)
    clock.give_up_at_s = give_up_at_s
    assert clock.phase is phase
    assert clock.due() == (due_s, failure)


def test_an_exchange_begins_without_a_connection() -> None:
    clock = ExchangeClock(Limits(2, 10, 5, 60, 101), 100)
    assert (clock.phase, clock.due()) == (Phase.QUEUED, (101, PoolExhausted))
