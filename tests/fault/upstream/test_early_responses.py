"""Answers that come before the whole request was sent."""

import asyncio
import time

import pytest

from steadyhand.http.failures import ConnectionLost, GaveUp
from tests.support.client import ask, left, pool_at
from tests.support.hostile_upstream import OK, Visit, hostile, polite
from tests.support.wire import eventually, within

LARGE = bytes(30_000_000)
"""More than the kernel takes at once."""

REFUSAL = b"HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno"


def answers_at_once_and_reads_on(visit: Visit) -> None:
    visit.head()
    visit.say(REFUSAL)
    time.sleep(0.2)
    visit.until_gone()


def answers_at_once_and_stops_reading(visit: Visit) -> None:
    visit.head()
    visit.say(REFUSAL)
    visit.gone.wait(1)


def answers_and_closes(visit: Visit) -> None:
    visit.head()
    visit.say(REFUSAL)
    visit.finish()
    visit.until_gone()


@pytest.mark.parametrize(
    "play",
    [answers_at_once_and_reads_on, answers_at_once_and_stops_reading, answers_and_closes],
)
async def test_an_early_answer_counts_and_its_connection_is_not_kept(play: object) -> None:
    with hostile(play, polite) as peer:  # type: ignore[arg-type]
        async with pool_at(peer.port) as pool:
            assert await ask(pool, body=LARGE) == b"no"
            await eventually(lambda: pool.idle == 0)  # the rest of the body was never sent
            assert pool.busy == 0
            assert await ask(pool) == b"ok"
            assert (pool.traffic.retried, len(peer.visits)) == (0, 2)


async def test_an_early_answer_of_a_small_request_keeps_the_connection() -> None:
    """What fits into the kernel's buffer is sent: the upstream reads it before the next one."""

    def answers_before_the_body(visit: Visit) -> None:
        visit.request()
        visit.say(OK)
        visit.head()
        visit.say(OK)

    with hostile(answers_before_the_body) as peer:
        async with pool_at(peer.port) as pool:
            assert await ask(pool) == b"ok"
            assert await ask(pool, body=b"small") == b"ok"
            assert len(peer.visits) == 1


async def test_a_reset_in_the_middle_of_the_request_is_a_failure_and_sent_once() -> None:
    def hangs_up(visit: Visit) -> None:
        visit.head()
        visit.reset()

    with hostile(hangs_up) as peer:
        async with pool_at(peer.port) as pool:
            with pytest.raises(ConnectionLost):
                await ask(pool, body=LARGE)
            assert (pool.busy, len(peer.visits)) == (0, 1)


async def test_an_upstream_that_never_reads_the_body_is_given_up_in_time() -> None:
    def never_reads(visit: Visit) -> None:
        visit.head()
        visit.gone.wait(10)

    with hostile(never_reads) as peer:
        async with pool_at(peer.port) as pool:
            begun_s = time.monotonic()
            with pytest.raises(GaveUp):
                await ask(pool, within(give_up_at_s=begun_s + 0.3), body=LARGE)
            assert time.monotonic() - begun_s < 5
            assert pool.busy == 0
        peer.visits[0].gone.set()


async def test_an_early_head_with_a_slow_body_is_read_while_the_request_still_leaves() -> None:
    def answers_while_reading(visit: Visit) -> None:
        visit.head()
        visit.say(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", b"o", b"n", b"e", every_s=0.05)
        visit.until_gone()

    with hostile(answers_while_reading) as peer:
        async with pool_at(peer.port) as pool:
            assert await ask(pool, body=LARGE) == b"one"
            await asyncio.sleep(0)
            assert pool.busy == 0
            await left(peer.visits[0])
