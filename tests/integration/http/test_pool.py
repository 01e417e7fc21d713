"""The native client over sockets: keeping, sharing and losing connections."""

import asyncio
import socket
from time import monotonic

import pytest

from steadyhand.http.failures import (
    ConnectFailed,
    ConnectionLost,
    MalformedResponse,
    PoolExhausted,
    ResponseTooLarge,
)
from steadyhand.http.limits import PoolLimits
from steadyhand.http.messages import Limits
from steadyhand.http.origin import Origin, request_head
from steadyhand.http.pool import Pool
from tests.support.wire import PATIENCE_S, Upstream, eventually, pool_to, upstream, within

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
R = asyncio.StreamReader
W = asyncio.StreamWriter


def head(pool: Pool, length: int = 0) -> bytes:
    return request_head(b"POST", b"/p", pool.origin, (), length)


async def ask(pool: Pool, limits: Limits | None = None, body: bytes = b"") -> bytes:
    """Make a whole exchange."""
    reply = await pool.send(head(pool, len(body)), body, limits or within())
    try:
        return await reply.read_all(1_000_000)
    finally:
        reply.close()


async def always_ok(peer: Upstream, reader: R, writer: W) -> None:
    while True:
        await peer.request(reader)
        writer.write(OK)


async def once_ok(peer: Upstream, reader: R, writer: W) -> None:
    """Answer one request as if the connection stayed, then close it."""
    await peer.request(reader)
    writer.write(OK)


def answering(*parts: bytes) -> object:
    async def script(peer: Upstream, reader: R, writer: W) -> None:
        await peer.request(reader)
        for part in parts:
            writer.write(part)
            await asyncio.sleep(0.02)

    return script


async def test_a_connection_is_kept_and_the_last_used_is_used_next() -> None:
    async with upstream(always_ok) as peer, pool_to(peer) as pool:
        for _ in range(3):
            assert await ask(pool, body=b"x" * 100_000) == b"ok"
        assert (pool.traffic.opened, pool.traffic.reused, pool.idle, pool.busy, peer.accepted) == (
            1,
            2,
            1,
            0,
            1,
        )
        first, second = [await pool.send(head(pool), b"", within()) for _ in range(2)]
        assert (pool.busy, pool.idle) == (2, 0)
        await first.read_all(10)
        await second.read_all(10)
        last = second._connection
        first.close()
        second.close()
        again = await pool.send(head(pool), b"", within())
        assert again._connection is last
        again.close()


async def test_status_and_headers_arrive_and_stay_after_closing() -> None:
    script = answering(
        b"HTTP/1.1 429 X\r\nRetry-After: 3\r\nA: 1\r\na: 2\r\nContent-Length: 0\r\n\r\n"
    )
    async with upstream(script) as peer, pool_to(peer) as pool:  # type: ignore[arg-type]
        reply = await pool.send(head(pool), b"", within())
        assert await reply.read() == b""
        reply.close()
        reply.close()
        assert reply.status == 429
        assert reply.headers == {b"retry-after": b"3", b"a": b"1, 2", b"content-length": b"0"}
        with pytest.raises(RuntimeError):
            await reply.read()


async def test_nodelay_is_set_on_upstream_connections() -> None:
    async with upstream(always_ok) as peer, pool_to(peer) as pool:
        await ask(pool)
        (connection,) = pool._live
        sock = connection._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_body_bytes_come_as_they_arrive() -> None:
    go_on = asyncio.Event()

    async def script(peer: Upstream, reader: R, writer: W) -> None:
        await peer.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        await go_on.wait()
        writer.write(b"3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n")
        await peer.request(reader)

    async with upstream(script) as peer, pool_to(peer) as pool:
        reply = await pool.send(head(pool), b"", within())
        assert await reply.read() == b"one"
        go_on.set()
        assert await reply.read() == b"twothree"
        assert await reply.read() == b""
        reply.close()
        assert pool.idle == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\n\r\nto the end",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end",
        b"HTTP/1.0 200 OK\r\n\r\nto the end",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\nto the end",
        b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\nA: 1\r\n\r\nHTTP/1.1 200 OK\r\n\r\nto the end",
    ],
)
async def test_a_body_may_end_with_the_connection_which_is_not_kept(raw: bytes) -> None:
    async with upstream(answering(raw[:-5], raw[-5:])) as peer, pool_to(peer) as pool:  # type: ignore[arg-type]
        assert await ask(pool) == b"to the end"
        assert (pool.idle, pool.busy) == (0, 0)


@pytest.mark.parametrize(
    ("raw", "failure"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", ConnectionLost),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", ConnectionLost),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", MalformedResponse),
    ],
)
async def test_a_cut_or_broken_body_is_a_failure_after_what_arrived(
    raw: bytes, failure: type[Exception]
) -> None:
    async with upstream(answering(raw)) as peer, pool_to(peer) as pool:  # type: ignore[arg-type]
        reply = await pool.send(head(pool), b"", within())
        assert (await reply.read()).startswith(b"ab")
        with pytest.raises(failure):
            await reply.read()
        reply.close()
        assert (pool.idle, pool.busy) == (0, 0)


@pytest.mark.parametrize(
    ("raw", "failure"),
    [
        (b"", ConnectionLost),
        (b"HTTP/1.1 200 OK\r\nContent-Len", ConnectionLost),
        (b"HTTP/1.1 100 Continue\r\n\r\n", ConnectionLost),
        (b"SSH-2.0-x\r\n", MalformedResponse),
        (OK[:17] + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", MalformedResponse),
        (b"HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", MalformedResponse),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000, ResponseTooLarge),
    ],
)  # fmt: skip
async def test_a_head_that_does_not_come_is_a_failure_and_not_tried_again(
    raw: bytes, failure: type[Exception]
) -> None:
    async with upstream(answering(raw)) as peer, pool_to(peer) as pool:  # type: ignore[arg-type]
        with pytest.raises(failure):
            await ask(pool)
        assert (pool.idle, pool.busy, pool.traffic.retried, peer.accepted) == (0, 0, 0, 1)


async def test_a_body_over_the_bound_is_refused_and_the_connection_cut() -> None:
    async with upstream(answering(OK)) as peer, pool_to(peer) as pool:  # type: ignore[arg-type]
        reply = await pool.send(head(pool), b"", within())
        with pytest.raises(ResponseTooLarge):
            await reply.read_all(1)
        reply.close()
        assert (pool.idle, pool.busy) == (0, 0)


async def test_a_kept_connection_that_was_closed_meanwhile_leaves_the_pool_at_once() -> None:
    async with upstream(once_ok) as peer, pool_to(peer) as pool:
        await ask(pool)
        await eventually(lambda: pool.idle == 0)
        await ask(pool)
        assert (pool.traffic.opened, pool.traffic.retried) == (2, 0)


async def test_a_stale_connection_is_tried_again_once_on_a_fresh_one() -> None:
    async def script(peer: Upstream, reader: R, writer: W) -> None:
        await peer.request(reader)
        writer.write(OK)
        await peer.request(reader)  # and close without a word

    async with upstream(script) as peer, pool_to(peer) as pool:
        assert [await ask(pool) for _ in range(3)] == [b"ok"] * 3
        assert (pool.traffic.opened, pool.traffic.retried, len(peer.heads)) == (3, 2, 5)


async def test_a_fresh_connection_is_not_tried_again() -> None:
    async def script(peer: Upstream, reader: R, writer: W) -> None:
        await peer.request(reader)
        if peer.accepted == 1:
            writer.write(OK)
            await peer.request(reader)

    async with upstream(script) as peer, pool_to(peer) as pool:
        await ask(pool)
        with pytest.raises(ConnectionLost):
            await ask(pool)
        assert (peer.accepted, pool.traffic.retried, pool.busy) == (2, 1, 0)


async def test_no_second_try_once_a_byte_came_back() -> None:
    async def script(peer: Upstream, reader: R, writer: W) -> None:
        await peer.request(reader)
        writer.write(OK)
        await peer.request(reader)
        writer.write(b"H")

    async with upstream(script) as peer, pool_to(peer) as pool:
        await ask(pool)
        with pytest.raises(ConnectionLost):
            await ask(pool)
        assert (peer.accepted, pool.traffic.retried) == (1, 0)


@pytest.mark.parametrize("extra", [b"x", OK])
async def test_bytes_nobody_asked_for_end_the_connection(extra: bytes) -> None:
    async def script(peer: Upstream, reader: R, writer: W) -> None:
        await peer.request(reader)
        writer.write(OK)
        await asyncio.sleep(0.05)
        writer.write(extra)
        await peer.until_gone(reader)

    async with upstream(script) as peer, pool_to(peer) as pool:
        await ask(pool)
        assert pool.idle == 1
        async with asyncio.timeout(PATIENCE_S):
            await peer.gone.wait()
        assert (pool.idle, pool.busy) == (0, 0)


async def test_bytes_glued_to_a_response_end_the_connection_but_not_the_response() -> None:
    async with upstream(answering(OK + OK)) as peer, pool_to(peer) as pool:  # type: ignore[arg-type]
        assert await ask(pool) == b"ok"
        assert (pool.idle, pool.busy) == (0, 0)


async def test_closing_an_unfinished_reply_is_seen_upstream_at_once() -> None:
    async def script(peer: Upstream, reader: R, writer: W) -> None:
        await peer.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart")
        await peer.until_gone(reader)

    async with upstream(script) as peer, pool_to(peer) as pool:
        reply = await pool.send(head(pool), b"", within())
        assert await reply.read() == b"part"
        reply.close()
        assert (pool.idle, pool.busy) == (0, 0)
        async with asyncio.timeout(PATIENCE_S):
            await peer.gone.wait()


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart"])
async def test_cancelling_the_caller_is_seen_upstream_at_once(sent: bytes) -> None:
    async def script(peer: Upstream, reader: R, writer: W) -> None:
        await peer.request(reader)
        writer.write(sent)
        await peer.until_gone(reader)

    async with upstream(script) as peer, pool_to(peer) as pool:
        task = asyncio.create_task(ask(pool))
        await eventually(lambda: bool(peer.heads))
        await asyncio.sleep(0.05)
        task.cancel()
        async with asyncio.timeout(PATIENCE_S):
            await peer.gone.wait()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (pool.idle, pool.busy, pool.traffic.retried) == (0, 0, 0)


async def test_a_slow_reader_holds_back_the_upstream_in_bounded_memory() -> None:
    sent = 0

    async def script(peer: Upstream, reader: R, writer: W) -> None:
        nonlocal sent
        await peer.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n")
        while sent < 50_000_000:
            writer.write(bytes(100_000))
            sent += 100_000
            await writer.drain()
        await peer.until_gone(reader)

    async with upstream(script) as peer, pool_to(peer) as pool:
        reply = await pool.send(head(pool), b"", within())
        await asyncio.sleep(0.3)
        assert reply._connection is not None
        held = sum(len(piece) for piece in reply._connection.response.pieces)
        assert held <= 2 * pool.limits.buffer_bytes
        assert sent < 20_000_000
        assert len(await reply.read_all(50_000_000)) == 50_000_000
        reply.close()
        assert pool.idle == 1


async def test_callers_over_the_cap_wait_their_turn() -> None:
    async def script(peer: Upstream, reader: R, writer: W) -> None:
        while True:
            body = await peer.request(reader)
            await asyncio.sleep(0.02)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + body)

    served: list[int] = []

    async def one(pool: Pool, n: int) -> None:
        assert await ask(pool, body=b"%d" % n) == b"%d" % n
        served.append(n)

    async with upstream(script) as peer, pool_to(peer, PoolLimits(max_connections=1)) as pool:
        tasks = []
        for n in range(8):
            tasks.append(asyncio.create_task(one(pool, n)))
            await asyncio.sleep(0)
        await eventually(lambda: pool.waiting == 7)
        tasks[3].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert served == [0, 1, 2, 4, 5, 6, 7]
        assert (peer.accepted, pool.traffic.opened, pool.waiting, pool.idle) == (1, 1, 0, 1)


async def test_a_caller_that_waits_in_vain_learns_that_the_pool_is_exhausted() -> None:
    async def script(peer: Upstream, reader: R, writer: W) -> None:
        await peer.until_gone(reader)

    async with upstream(script) as peer, pool_to(peer, PoolLimits(max_connections=1)) as pool:
        first = asyncio.create_task(ask(pool))
        await eventually(lambda: pool.busy == 1)
        for limits in (within(connect_s=0.1), within(give_up_at_s=monotonic() + 0.3)):
            with pytest.raises(PoolExhausted):
                await ask(pool, limits)
        assert pool.waiting == 0
        first.cancel()
        await eventually(lambda: pool.busy == 0)


async def test_a_place_freed_by_a_failure_goes_to_the_next_in_line() -> None:
    async def script(peer: Upstream, reader: R, writer: W) -> None:
        await peer.request(reader)
        if peer.accepted == 1:
            await asyncio.sleep(0.05)
            return
        writer.write(OK)

    async with upstream(script) as peer, pool_to(peer, PoolLimits(max_connections=1)) as pool:
        first, second = asyncio.create_task(ask(pool)), asyncio.create_task(ask(pool))
        with pytest.raises(ConnectionLost):
            await first
        assert await second == b"ok"
        assert pool.busy == 0


async def test_a_retry_at_the_cap_keeps_to_the_cap() -> None:
    async def script(peer: Upstream, reader: R, writer: W) -> None:
        await peer.request(reader)
        writer.write(OK)
        await peer.request(reader)

    async with upstream(script) as peer, pool_to(peer, PoolLimits(max_connections=1)) as pool:
        answers = await asyncio.gather(*(ask(pool) for _ in range(6)))
        assert answers == [b"ok"] * 6
        assert (pool.busy, pool.waiting) == (0, 0)
        assert pool.idle <= 1


async def test_places_are_never_lost_whatever_is_cancelled_when() -> None:
    limits = PoolLimits(max_connections=3)
    async with upstream(always_ok) as peer, pool_to(peer, limits) as pool:
        for turns in range(12):
            tasks = [asyncio.create_task(ask(pool)) for _ in range(10)]
            for _ in range(turns):
                await asyncio.sleep(0)
            for task in tasks[::2]:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await eventually(lambda: (pool.busy, pool.waiting) == (0, 0))
            assert pool.idle <= 3
            assert not any(task.cancelled() for task in tasks[1::2])


async def test_idle_connections_are_closed_in_time_and_over_the_bound() -> None:
    limits = PoolLimits(max_idle=1, idle_s=0.1)
    async with upstream(always_ok) as peer, pool_to(peer, limits) as pool:
        await asyncio.gather(*(ask(pool) for _ in range(3)))
        assert pool.idle == 1
        await eventually(lambda: pool.idle == 0)
        assert pool.busy == 0
        assert await ask(pool) == b"ok"


async def test_nobody_listening_is_a_failed_connect() -> None:
    async with upstream(always_ok) as peer:
        pass
    pool = Pool(Origin.parse(f"http://127.0.0.1:{peer.port}"), PoolLimits())
    with pytest.raises(ConnectFailed):
        await ask(pool)
    assert pool.busy == 0
    await pool.close()


async def test_ipv6_upstreams_are_reached() -> None:
    async def connected(reader: R, writer: W) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        writer.close()

    listener = await asyncio.start_server(connected, "::1", 0)
    port = listener.sockets[0].getsockname()[1]
    pool = Pool(Origin.parse(f"http://[::1]:{port}"), PoolLimits())
    assert await ask(pool) == b"ok"
    await pool.close()
    listener.close()


async def test_closing_a_pool_cuts_what_is_under_way_and_refuses_what_comes() -> None:
    async def script(peer: Upstream, reader: R, writer: W) -> None:
        await peer.until_gone(reader)

    async with upstream(script) as peer, pool_to(peer, PoolLimits(max_connections=1)) as pool:
        busy, waiting = asyncio.create_task(ask(pool)), asyncio.create_task(ask(pool))
        await eventually(lambda: pool.waiting == 1)
        await eventually(lambda: peer.accepted == 1)
        await asyncio.sleep(0.05)
        await pool.close()
        with pytest.raises(ConnectionLost):
            await busy
        with pytest.raises(ConnectFailed):
            await waiting
        with pytest.raises(ConnectFailed):
            await ask(pool)
