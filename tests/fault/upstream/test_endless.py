"""Answers without an end: bounded in bytes whatever their speed, in time whatever their size."""

import asyncio
import time

import pytest

from steadyhand.http.failures import GaveUp, MalformedResponse, ResponseTooLarge, UpstreamError
from steadyhand.http.limits import PoolLimits
from tests.support.client import ask, left, pool_at
from tests.support.hostile_upstream import CHUNKED, Visit, hostile
from tests.support.wire import within

MOST_TAKEN = 24_000_000
"""What kernel and client may take of an endless answer together; it is offered at full speed."""

ENDLESS = [
    pytest.param(b"HTTP/1.1 200 OK\r\nX: ", b"a" * 4096, ResponseTooLarge, id="header-value"),
    pytest.param(b"HTTP/1.1 200 OK\r\n", b"X: a\r\n" * 512, ResponseTooLarge, id="headers"),
    pytest.param(b"HTTP/1.1 200 ", b"OK " * 1024, ResponseTooLarge, id="reason"),
    pytest.param(b"", b"HTTP/1.1 100 C\r\n\r\n" * 99, ResponseTooLarge, id="interim"),
    pytest.param(b"", b"\r\n" * 2048, (ResponseTooLarge, MalformedResponse), id="blank-lines"),
    pytest.param(CHUNKED + b"5;", b"x=y;" * 512, ResponseTooLarge, id="chunk-extension"),
    pytest.param(CHUNKED, b"0" * 4096, (ResponseTooLarge, MalformedResponse), id="chunk-size"),
    pytest.param(CHUNKED + b"0\r\n", b"X: a\r\n" * 512, ResponseTooLarge, id="trailers"),
    pytest.param(CHUNKED + b"0\r\nX: ", b"a" * 4096, ResponseTooLarge, id="trailer-value"),
    pytest.param(CHUNKED, b"1\r\na\r\n" * 512, ResponseTooLarge, id="small-chunks"),
    pytest.param(CHUNKED, b"10000\r\n" + b"a" * 65536 + b"\r\n", ResponseTooLarge, id="chunks"),
    pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 4096, ResponseTooLarge, id="to-the-end"),
]


@pytest.mark.parametrize(("before", "endlessly", "failure"), ENDLESS)
async def test_an_endless_answer_is_cut(
    before: bytes,
    endlessly: bytes,
    failure: type[UpstreamError] | tuple[type[UpstreamError], ...],
) -> None:
    taken = []

    def play(visit: Visit) -> None:
        visit.request()
        visit.say(before)
        taken.append(visit.endlessly(endlessly))

    with hostile(play) as peer:
        async with pool_at(peer.port) as pool:
            with pytest.raises(failure):
                await ask(pool)
            assert (pool.idle, pool.busy, pool.traffic.retried) == (0, 0, 0)
            await left(peer.visits[0])
    assert taken[0] < MOST_TAKEN


@pytest.mark.parametrize(("before", "endlessly", "failure"), ENDLESS)
async def test_an_endless_answer_in_drips_is_given_up_in_time(
    before: bytes, endlessly: bytes, failure: object
) -> None:
    del failure

    def play(visit: Visit) -> None:
        visit.request()
        visit.say(before)
        drip = endlessly[:6] if b"\r\n" in endlessly[:6] else endlessly[:1]
        if endlessly.startswith(b"10000"):
            drip = b"1\r\na\r\n"
        visit.endlessly(drip, every_s=0.01)

    with hostile(play) as peer:
        async with pool_at(peer.port) as pool:
            begun_s = time.monotonic()
            with pytest.raises((GaveUp, MalformedResponse)):
                await ask(pool, within(give_up_at_s=begun_s + 0.25))
            assert time.monotonic() - begun_s < 5
            assert pool.busy == 0
            await left(peer.visits[0])


async def test_what_nobody_reads_is_not_read() -> None:
    """A caller that does not read holds back an endless body: memory stays bounded."""
    with hostile(_endless_body) as peer:
        async with pool_at(peer.port, PoolLimits(buffer_bytes=100_000)) as pool:
            reply = await pool.send(b"GET / HTTP/1.1\r\n\r\n", b"", within())
            assert await reply.read()
            await asyncio.sleep(0.3)
            (connection,) = pool._live
            assert sum(map(len, connection.response.pieces)) < 400_000
            reply.close()
            await left(peer.visits[0])


def _endless_body(visit: Visit) -> None:
    visit.request()
    visit.say(b"HTTP/1.1 200 OK\r\n\r\n")
    visit.endlessly(bytes(65536))
