"""Clients that are slow on purpose, in every phase of an exchange, cost a bounded time each."""

import asyncio
from dataclasses import replace

import pytest

from steadyhand.http.limits import ServerLimits
from steadyhand.http.messages import Reply, Request
from tests.support.handlers import Noting
from tests.support.wire import PATIENCE_S, client_of, eventually, serving

PATIENT = ServerLimits(
    head_timeout_s=30.0, body_timeout_s=30.0, keep_alive_s=30.0, linger_s=0.2, stall_s=30.0
)
GET = b"GET /p HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST /p HTTP/1.1\r\nHost: h\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
HEADS = {
    "method": b"PO",
    "target": b"POST /v1/chat",
    "request line": b"POST /p HTTP/1.1\r",
    "field name": POST + b"X-Slo",
    "field value": POST + b"X: " + b"a" * 100,
    "end of head": POST + b"\r",
}
BODIES = {
    "body": POST + b"Content-Length: 9\r\n\r\nabc",
    "body not begun": POST + b"Content-Length: 9\r\n\r\n",
    "chunk size": CHUNKED + b"1",
    "chunk extension": CHUNKED + b"3;a=b",
    "chunk": CHUNKED + b"3\r\na",
    "chunk's end": CHUNKED + b"3\r\nabc\r",
    "last chunk": CHUNKED + b"3\r\nabc\r\n0",
    "trailer name": CHUNKED + b"0\r\nX",
    "trailer value": CHUNKED + b"0\r\nX: 1",
    "end of trailers": CHUNKED + b"0\r\nX: 1\r\n",
    "after 100": POST + b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n",
}


async def drip(limits: ServerLimits, sent: bytes) -> None:
    """Send a part, then a byte now and then that moves nothing on."""
    handler = Noting()
    async with serving(handler, limits) as server:
        async with client_of(server) as client:
            client.send(sent)
            response = await client.response()
            if response.status == 100:
                response = await client.response()
            assert (response.status, response.headers["connection"]) == (408, "close")
            assert await client.at_end()
        assert server.refused["request_timeout"] == 1
        assert handler.paths == []
        await eventually(lambda: server.connections == 0)


@pytest.mark.parametrize("sent", HEADS.values(), ids=HEADS)
async def test_a_head_that_stops_in_any_place(sent: bytes) -> None:
    await drip(replace(PATIENT, head_timeout_s=0.15), sent)


@pytest.mark.parametrize("sent", BODIES.values(), ids=BODIES)
async def test_a_body_that_stops_in_any_place(sent: bytes) -> None:
    await drip(replace(PATIENT, body_timeout_s=0.15), sent)


@pytest.mark.parametrize(
    ("begun", "byte"),
    [
        (b"POST /", b"a"),
        (POST + b"X: ", b"a"),
        (CHUNKED + b"0;", b"a"),
        (CHUNKED + b"0\r\nX:", b"a"),
    ],
    ids=["target", "field", "extension", "trailer"],
)
async def test_bytes_that_never_come_to_an_end_do_not_buy_time(begun: bytes, byte: bytes) -> None:
    limits = replace(PATIENT, head_timeout_s=0.4, body_timeout_s=0.4, linger_s=PATIENCE_S)
    async with serving(Noting(), limits) as server, client_of(server) as client:
        client.send(begun)
        answer = asyncio.ensure_future(client.response())
        while not answer.done():
            client.send(byte)
            await asyncio.sleep(0.02)
        assert answer.result().status == 408
        assert server.refused["request_timeout"] == 1


@pytest.mark.parametrize("sent", [b"", b"\r\n", GET, GET + b"\r\n\r\n"])
async def test_a_connection_without_a_request_is_closed_without_a_word(sent: bytes) -> None:
    limits = replace(PATIENT, keep_alive_s=0.3)
    async with serving(Noting(), limits) as server, client_of(server) as client:
        client.send(sent)
        if sent.startswith(GET):
            assert (await client.response()).status == 200
        assert await client.at_end()
        assert sum(server.refused.values()) == 0


async def test_empty_lines_do_not_keep_an_idle_connection() -> None:
    limits = replace(PATIENT, keep_alive_s=0.4)
    async with serving(Noting(), limits) as server, client_of(server) as client:
        ended = asyncio.ensure_future(client.at_end())
        while not ended.done():
            client.send(b"\r\n")
            await asyncio.sleep(0.02)
        await eventually(lambda: server.connections == 0)


async def test_an_answer_that_is_not_taken_is_cut() -> None:
    cancelled = asyncio.Event()

    async def endless(request: Request, reply: Reply) -> None:
        reply.start(200, ())
        try:
            while True:
                reply.write(bytes(256 * 1024))
                await reply.drain()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    limits = replace(PATIENT, stall_s=0.3, linger_s=0.2)
    async with serving(endless, limits) as server, client_of(server) as client:
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's has it
        client.send(GET)
        async with asyncio.timeout(PATIENCE_S):
            await cancelled.wait()
        await eventually(lambda: server.connections == 0)
        assert server.disconnects == 1


async def test_a_whole_answer_that_is_not_taken_is_cut_too() -> None:
    async def large(request: Request, reply: Reply) -> None:
        reply.send(200, (), bytes(64 * 1024 * 1024))

    limits = replace(PATIENT, stall_s=0.3, linger_s=0.2)
    async with serving(large, limits) as server, client_of(server) as client:
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's has it
        client.send(GET)
        await eventually(lambda: server.requests == 1)
        await eventually(lambda: server.connections == 0)
