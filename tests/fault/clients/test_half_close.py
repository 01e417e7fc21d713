"""Clients that shut their sending side: after a request, in the middle of one, or to leave."""

import asyncio

import pytest

from tests.support.handlers import Noting, Waiting
from tests.support.wire import PATIENCE_S, RawClient, client_of, eventually, serving

GET = b"GET /p HTTP/1.1\r\nHost: h\r\n\r\n"
OLD = b"GET /p HTTP/1.0\r\n\r\n"


async def final(client: RawClient) -> tuple[int, bytes]:
    """Read over interim responses, as every client must."""
    while (response := await client.response()).status == 100:
        pass
    return response.status, response.body


@pytest.mark.parametrize("request_bytes", [GET, OLD])
async def test_after_a_whole_request_the_answer_comes(request_bytes: bytes) -> None:
    async with serving(Noting()) as server, client_of(server) as client:
        client.send(request_bytes)
        client.writer.write_eof()
        assert await final(client) == (200, b"/p ")
        assert await client.at_end()
        await eventually(lambda: server.connections == 0)
        assert server.disconnects == 0


@pytest.mark.parametrize("request_bytes", [GET, OLD])
async def test_an_answer_that_takes_its_time_comes_too(request_bytes: bytes) -> None:
    handler = Waiting()
    async with serving(handler) as server, client_of(server) as client:
        client.send(request_bytes)
        await eventually(lambda: server.in_flight == 1)
        client.writer.write_eof()
        await asyncio.sleep(0.5)
        handler.go_on.set()
        assert await final(client) == (200, b"answer to /p")
        assert await client.at_end()
        assert server.disconnects == 0


async def test_all_whole_requests_of_a_pipeline_are_answered() -> None:
    handler = Waiting()
    async with serving(handler) as server, client_of(server) as client:
        client.send(
            b"".join(b"GET /%d HTTP/1.1\r\nHost: h\r\n\r\n" % n for n in range(3)) + GET[:9]
        )
        client.writer.write_eof()
        await asyncio.sleep(0.2)
        handler.go_on.set()
        answers = [await final(client) for _ in range(3)]
        assert answers == [(200, b"answer to /%d" % n) for n in range(3)]
        assert await client.at_end()
        assert handler.paths == [b"/0", b"/1", b"/2"]


@pytest.mark.parametrize(
    "part",
    [
        b"",
        b"GET",
        GET[:-2],
        b"POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab",
        b"POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
    ],
)
async def test_in_the_middle_it_is_closed_and_nobody_is_called(part: bytes) -> None:
    handler = Noting()
    async with serving(handler) as server, client_of(server) as client:
        client.send(part)
        client.writer.write_eof()
        assert await client.at_end()
        await eventually(lambda: server.connections == 0)
        assert handler.paths == []


@pytest.mark.parametrize("path", [b"/p", b"/stream"])
async def test_a_client_that_is_gone_is_told_from_one_that_waits(path: bytes) -> None:
    handler = Waiting()
    async with serving(handler) as server:
        async with client_of(server) as client:
            client.send(GET.replace(b"/p", path))
            await eventually(lambda: server.in_flight == 1)
            if path == b"/stream":
                await client.head()
        async with asyncio.timeout(PATIENCE_S):
            await handler.cancelled.wait()
        assert server.disconnects == 1
        await eventually(lambda: server.connections == 0)


async def test_one_that_shut_its_side_first_and_left_later_is_noticed() -> None:
    handler = Waiting()
    async with serving(handler) as server:
        async with client_of(server) as client:
            client.send(GET)
            client.writer.write_eof()
            assert (await client.response()).status == 100
        async with asyncio.timeout(PATIENCE_S):
            await handler.cancelled.wait()
        assert server.disconnects == 1
