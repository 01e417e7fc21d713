"""A byte now and then, in every phase: the point of giving up holds, and each limit its phase."""

import time

import pytest

from steadyhand.http.failures import (
    FirstByteTimedOut,
    GaveUp,
    IdleTimedOut,
    TotalTimedOut,
    UpstreamError,
)
from steadyhand.http.messages import Limits
from tests.support.client import ask, left, pool_at
from tests.support.hostile_upstream import Visit, hostile
from tests.support.wire import within

STATUS = b"HTTP/1.1 200 OK\r\n"
FIELDS = b"Server: slow\r\nContent-Length: 3000\r\n"
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT = b"6\r\n: hi\n\n\r\n"
PAUSE_S = 0.05

PHASES = {
    "status-line": (b"", STATUS * 99),
    "headers": (STATUS, FIELDS[:-2] + b"x" * 3000),
    "body": (STATUS + FIELDS + b"\r\n", b"x" * 2999),
    "chunk-size": (EVENTS, b"00000000000" * 99),
    "between-events": (EVENTS + EVENT, EVENT * 300),
}


def dripping(before: bytes, drips: bytes) -> object:
    def play(visit: Visit) -> None:
        visit.request()
        visit.say(before)
        visit.say(*(drips[at : at + 1] for at in range(len(drips))), every_s=PAUSE_S)
        visit.until_gone()

    return play


@pytest.mark.parametrize("phase", PHASES)
async def test_a_drip_is_given_up_in_time(phase: str) -> None:
    with hostile(dripping(*PHASES[phase])) as peer:  # type: ignore[arg-type]
        async with pool_at(peer.port) as pool:
            begun_s = time.monotonic()
            with pytest.raises(GaveUp):
                await ask(pool, within(give_up_at_s=begun_s + 0.4))
            assert 0.3 < time.monotonic() - begun_s < 5
            assert (pool.idle, pool.busy) == (0, 0)
            await left(peer.visits[0])


@pytest.mark.parametrize(
    ("phase", "limits", "failure"),
    [
        ("status-line", within(first_byte_s=0.3), FirstByteTimedOut),
        ("headers", within(first_byte_s=0.3), FirstByteTimedOut),
        ("body", within(total_s=0.3), TotalTimedOut),
        ("between-events", within(total_s=0.3), TotalTimedOut),
        ("chunk-size", within(idle_s=0.3), IdleTimedOut),
    ],
)
async def test_each_phase_has_its_limit(
    phase: str, limits: Limits, failure: type[UpstreamError]
) -> None:
    """Framing that drips is silence: it does not move the idle limit."""
    with hostile(dripping(*PHASES[phase])) as peer:  # type: ignore[arg-type]
        async with pool_at(peer.port) as pool:
            with pytest.raises(failure):
                await ask(pool, limits)
            await left(peer.visits[0])


async def test_a_slow_answer_within_its_limits_is_whole() -> None:
    def play(visit: Visit) -> None:
        visit.request()
        raw = STATUS + b"Content-Length: 5\r\n\r\nslow!"
        visit.say(*(raw[at : at + 1] for at in range(len(raw))), every_s=0.005)
        visit.until_gone()

    with hostile(play) as peer:
        async with pool_at(peer.port) as pool:
            assert await ask(pool) == b"slow!"
            assert pool.idle == 1
