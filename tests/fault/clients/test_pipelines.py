"""Clients that send before they have been answered: order, bounds, and what an error ends."""

import asyncio

import pytest

from steadyhand.http.limits import ServerLimits
from tests.support.handlers import Noting, Waiting
from tests.support.wire import client_of, eventually, serving


def get(path: bytes, fields: bytes = b"") -> bytes:
    return b"GET %b HTTP/1.1\r\nHost: h\r\n%b\r\n" % (path, fields)


async def test_a_mixture_is_answered_in_order() -> None:
    handler = Noting()
    post = b"POST /%d HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok"
    chunked = (
        b"POST /%d HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    )
    async with serving(handler) as server, client_of(server) as client:
        client.send(b"".join(form % n for n, form in enumerate([post, chunked] * 20)))
        for n in range(40):
            assert (await client.response()).body == b"/%d ok" % n


@pytest.mark.parametrize(
    ("broken", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (get(b"/x", b"Content-Length: 1\r\nContent-Length: 2\r\n"), 400),
        (get(b"/x", b"Expect: miracles\r\n"), 417),
        (get(b"/x", b"X: " + b"a" * 3_000 + b"\r\n"), 431),
        (b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 9999\r\n\r\n", 413),
    ],
)
async def test_an_error_is_answered_in_its_turn_and_ends_it(broken: bytes, status: int) -> None:
    handler = Waiting()
    limits = ServerLimits(max_head_bytes=2_000, max_body_bytes=5_000)
    async with serving(handler, limits) as server, client_of(server) as client:
        client.send(get(b"/1") + get(b"/2"))
        await eventually(lambda: server.in_flight == 1)
        client.send(broken + get(b"/after"))
        client.send(get(b"/later"))
        await asyncio.sleep(0.05)
        handler.go_on.set()
        assert [(await client.response()).body for _ in range(2)] == [
            b"answer to /1",
            b"answer to /2",
        ]
        assert (await client.response()).status == status
        assert await client.at_end()
        assert handler.paths == [b"/1", b"/2"]
        assert sum(server.refused.values()) == 1


async def test_nothing_behind_a_close_is_served() -> None:
    handler = Noting()
    async with serving(handler) as server, client_of(server) as client:
        client.send(get(b"/1") + get(b"/2", b"Connection: close\r\n") + get(b"/3"))
        assert [(await client.response()).status for _ in range(2)] == [200, 200]
        assert await client.at_end()
        assert handler.paths == [b"/1", b"/2"]


async def test_an_answer_that_is_cut_ends_those_behind_it() -> None:
    handler = Waiting()
    async with serving(handler) as server, client_of(server) as client:
        client.send(get(b"/stream") + get(b"/2"))
        await client.head()
        (connection,) = server.open_connections
        connection.cut(reset=False)
        raw = await client.reader.read()
        assert not raw.endswith(b"0\r\n\r\n")
        handler.go_on.set()
        await asyncio.sleep(0.05)
        assert handler.paths == [b"/stream"]


async def test_tiny_requests_ahead_are_bounded() -> None:
    handler = Waiting()
    limits = ServerLimits(max_ahead_bytes=10_000)
    async with serving(handler, limits) as server, client_of(server) as client:
        client.send(get(b"/1"))
        await eventually(lambda: server.in_flight == 1)
        client.send(get(b"/x") * 100_000)
        await asyncio.sleep(0.3)
        (connection,) = server.open_connections
        assert len(connection._queue) < 20_000  # one read of the loop at most beyond the bound
        assert server.in_flight == 1
