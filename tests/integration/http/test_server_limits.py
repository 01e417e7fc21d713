"""The native server over sockets: times, leaving and slow clients, draining."""

import asyncio
from dataclasses import replace

import pytest

from steadyhand.http.limits import ServerLimits
from steadyhand.http.messages import Reply, Request
from steadyhand.http.server import Server
from tests.support.wire import PATIENCE_S, RawClient, client_of, eventually, render_error, serving

GET = b"GET /p HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST /p HTTP/1.1\r\nHost: h\r\n"
SHORT = ServerLimits(
    head_timeout_s=0.2, body_timeout_s=0.2, keep_alive_s=0.3, linger_s=0.2, stall_s=0.3
)


async def ok(request: Request, reply: Reply) -> None:
    """Answer at once."""
    reply.send(200, (), b"ok")


class Held:
    """A handler that waits until told, and notes how it ended."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.after: list[bytes] = []

    async def __call__(self, request: Request, reply: Reply) -> None:
        if request.query == b"stream":
            reply.start(200, ())
            reply.write(b"first")
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            reply.write(b"nobody reads this") if reply.started else reply.send(200, (), b"")
            self.cancelled.set()
            raise
        reply.send(200, (), b"ok")
        await asyncio.sleep(0.05)
        self.after.append(request.path)


@pytest.mark.parametrize("sent", [b"G", b"GET /p HTTP/1.1\r\nHos", POST[:-2] + b"\r\nX: y\r\n"])
async def test_a_head_that_does_not_end_is_408(sent: bytes) -> None:
    async with serving(ok, replace(SHORT, keep_alive_s=30.0)) as server:
        async with client_of(server) as client:
            client.send(sent)
            assert (await client.response()).body.startswith(b"408 request_timeout")
            assert await client.at_end()
        assert server.refused["request_timeout"] == 1


async def test_a_trickled_head_is_408_all_the_same() -> None:
    limits = replace(SHORT, linger_s=PATIENCE_S)
    async with serving(ok, limits) as server, client_of(server) as client:
        for byte in POST:
            client.send(bytes([byte]))
            await asyncio.sleep(0.02)
        assert (await client.response()).status == 408


async def test_a_body_that_does_not_end_is_408() -> None:
    limits = replace(SHORT, keep_alive_s=30.0)
    async with serving(ok, limits) as server, client_of(server) as client:
        client.send(POST + b"Content-Length: 3\r\n\r\nab")
        assert (await client.response()).status == 408


async def test_a_slow_but_steady_body_is_given_time() -> None:
    limits = replace(SHORT, body_rate_bytes=1_000)
    async with serving(ok, limits) as server, client_of(server) as client:
        client.send(POST + b"Content-Length: 1000\r\n\r\n")
        for _ in range(10):
            client.send(bytes(100))
            await asyncio.sleep(0.05)
        assert (await client.response()).status == 200


async def test_a_second_request_that_stays_incomplete_is_408() -> None:
    async with serving(ok, SHORT) as server, client_of(server) as client:
        client.send(GET + GET[:10])
        assert (await client.response()).status == 200
        assert (await client.response()).status == 408


async def test_idle_connections_are_closed_without_a_word() -> None:
    async with serving(ok, SHORT) as server, client_of(server) as silent:
        async with client_of(server) as client:
            client.send(GET)
            assert (await client.response()).status == 200
            assert await client.at_end()
            assert await silent.at_end()
        await eventually(lambda: server.connections == 0)
        assert sum(server.refused.values()) == 0


async def test_a_long_answer_is_not_cut_by_the_idle_limit() -> None:
    async def slow(request: Request, reply: Reply) -> None:
        await asyncio.sleep(0.7)
        reply.send(200, (), b"ok")

    async with serving(slow, SHORT) as server, client_of(server) as client:
        client.send(GET)
        assert (await client.response()).body == b"ok"


@pytest.mark.parametrize("path", [b"/p", b"/p?stream"])
@pytest.mark.parametrize("politely", [True, False])
async def test_a_client_that_leaves_cancels_the_handler(path: bytes, politely: bool) -> None:
    held = Held()
    async with serving(held) as server, client_of(server) as client:
        client.send(GET.replace(b"/p", path))
        await eventually(lambda: server.in_flight == 1)
        if politely:
            client.writer.close()
        else:
            client.writer.transport.abort()
        async with asyncio.timeout(PATIENCE_S):
            await held.cancelled.wait()
        await eventually(lambda: server.connections == 0)
        assert (server.disconnects, server.in_flight, server.failures) == (1, 0, 0)


async def test_waiting_requests_of_a_client_that_leaves_are_not_begun() -> None:
    held = Held()
    async with serving(held) as server, client_of(server) as client:
        client.send(GET * 3)
        await eventually(lambda: server.in_flight == 1)
        client.writer.transport.abort()
        async with asyncio.timeout(PATIENCE_S):
            await held.cancelled.wait()
        await eventually(lambda: server.in_flight == 0)
        assert held.after == []


async def test_work_after_the_reply_is_finished_although_the_client_left() -> None:
    held = Held()
    held.go_on.set()
    async with serving(held) as server, client_of(server) as client:
        client.send(GET)
        assert (await client.response()).body == b"ok"
        client.writer.transport.abort()
        await eventually(lambda: held.after == [b"/p"])
        assert server.disconnects == 0


async def test_a_slow_client_holds_back_the_writer_in_bounded_memory() -> None:
    part = bytes(64 * 1024)
    written = 0

    async def endless(request: Request, reply: Reply) -> None:
        nonlocal written
        reply.start(200, ())
        while True:
            reply.write(part)
            written += len(part)
            await reply.drain()

    limits = ServerLimits(write_high_water=128 * 1024)
    async with serving(endless, limits) as server, client_of(server) as client:
        client.send(GET)
        await client.head()
        await asyncio.sleep(0.3)
        (connection,) = server.open_connections
        assert connection.transport.get_write_buffer_size() < 1024 * 1024
        stopped_at = written
        await asyncio.sleep(0.2)
        assert written == stopped_at
        async with asyncio.timeout(PATIENCE_S):
            await client.reader.readexactly(stopped_at)
        await eventually(lambda: written > stopped_at)


async def test_a_client_that_takes_nothing_is_cut() -> None:
    cancelled = asyncio.Event()

    async def endless(request: Request, reply: Reply) -> None:
        reply.start(200, ())
        try:
            while True:
                reply.write(bytes(1024 * 1024))
                await reply.drain()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with serving(endless, SHORT) as server, client_of(server) as client:
        client.send(GET)
        async with asyncio.timeout(PATIENCE_S):
            await cancelled.wait()
        await eventually(lambda: server.connections == 0)


async def test_one_connection_too_many_is_503() -> None:
    async with serving(ok, ServerLimits(max_connections=1)) as server, client_of(server) as first:
        await eventually(lambda: server.connections == 1)
        async with client_of(server) as second:
            assert (await second.response()).body.startswith(b"503 too_many_connections")
            assert await second.at_end()
        first.send(GET)
        assert (await first.response()).status == 200
        assert server.refused["too_many_connections"] == 1
        await eventually(lambda: server.connections == 1)
        first.send(GET)
        assert (await first.response()).status == 200


async def start(handler: Held) -> Server:
    return await Server.start(handler, "127.0.0.1", 0, ServerLimits(), render_error)


async def connect(server: Server) -> RawClient:
    return RawClient(*await asyncio.open_connection("127.0.0.1", server.port))


async def test_draining_finishes_what_is_in_flight_and_says_close() -> None:
    held = Held()
    server = await start(held)
    idle, busy = await connect(server), await connect(server)
    half = await connect(server)
    busy.send(GET)
    half.send(GET[:10])
    await eventually(lambda: server.in_flight == 1 and server.connections == 3)
    closing = asyncio.create_task(server.close(drain_s=PATIENCE_S))
    assert await idle.at_end()
    with pytest.raises(OSError, match=r"refused|111"):
        await asyncio.open_connection("127.0.0.1", busy.writer.get_extra_info("peername")[1])
    half.send(GET[10:])
    held.go_on.set()
    for client in (busy, half):
        response = await client.response()
        assert (response.body, response.headers["connection"]) == (b"ok", "close")
    await closing
    assert held.after == [b"/p", b"/p"]
    assert server.connections == server.in_flight == 0
    for client in (idle, busy, half):
        await client.close()


async def test_draining_cancels_what_takes_too_long() -> None:
    held = Held()
    server = await start(held)
    client = await connect(server)
    client.send(GET.replace(b"/p", b"/p?stream"))
    await client.head()
    async with asyncio.timeout(PATIENCE_S):
        await server.close(drain_s=0.1)
    assert held.cancelled.is_set()
    assert server.connections == server.in_flight == 0
    await client.close()
