"""1xx: read over, however many; never endless, never a switch of protocols."""

import pytest

from steadyhand.http.failures import MalformedResponse, ResponseTooLarge
from tests.support.client import ask, left, pool_at
from tests.support.hostile_upstream import OK, Visit, answering, hostile, polite
from tests.support.wire import within

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 99\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"


@pytest.mark.parametrize(
    "before",
    [
        (CONTINUE,),
        (PROCESSING, HINTS),
        (HINTS, HINTS, CONTINUE, PROCESSING, HINTS),
        (HINTS + CONTINUE, b"HTTP/1.1 1", b"99 X\r\n\r\n"),
    ],
)
async def test_interim_responses_are_read_over(before: tuple[bytes, ...]) -> None:
    def play(visit: Visit) -> None:
        while True:
            visit.request()
            visit.say(*before, OK, every_s=0.01)

    with hostile(play) as peer:
        async with pool_at(peer.port) as pool:
            for _ in range(2):
                assert await ask(pool) == b"ok"
            assert pool.traffic.reused == 1


async def test_headers_of_an_interim_response_are_not_those_of_the_answer() -> None:
    with hostile(answering(HINTS + OK)) as peer:
        async with pool_at(peer.port) as pool:
            reply = await pool.send(b"POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n", b"", within())
            assert reply.headers == {b"content-length": b"2"}
            reply.close()


@pytest.mark.parametrize("interim", [CONTINUE, HINTS, PROCESSING])
async def test_endless_interim_responses_are_cut(interim: bytes) -> None:
    def play(visit: Visit) -> None:
        visit.request()
        visit.endlessly(interim * 50)

    with hostile(play) as peer:
        async with pool_at(peer.port) as pool:
            with pytest.raises(ResponseTooLarge):
                await ask(pool)
            await left(peer.visits[0])
            assert (pool.busy, pool.traffic.retried) == (0, 0)


@pytest.mark.parametrize(
    "switch",
    [
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
        CONTINUE + b"HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    ],
)
async def test_a_switch_of_protocols_is_refused(switch: bytes) -> None:
    with hostile(answering(switch + OK), polite) as peer:
        async with pool_at(peer.port) as pool:
            with pytest.raises(MalformedResponse):
                await ask(pool)
            assert (pool.idle, pool.busy) == (0, 0)
