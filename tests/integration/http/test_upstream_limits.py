"""The native client over sockets: the limits of an exchange, and which of them speaks."""

import asyncio
import socket
from collections.abc import Callable
from math import inf
from time import monotonic

import pytest

from steadyhand.http.failures import (
    ConnectTimedOut,
    FirstByteTimedOut,
    GaveUp,
    IdleTimedOut,
    TotalTimedOut,
    UpstreamError,
)
from steadyhand.http.limits import PoolLimits
from steadyhand.http.messages import Limits
from steadyhand.http.origin import Origin, request_head
from steadyhand.http.pool import Pool
from tests.support.wire import PATIENCE_S, Upstream, eventually, pool_to, upstream, within

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"


def head(pool: Pool, length: int = 0) -> bytes:
    return request_head(b"POST", b"/p", pool.origin, (), length)


async def whole(pool: Pool, limits: Limits) -> bytes:
    return await (await pool.send(head(pool), b"", limits)).read_all(1_000)


def saying(sent: bytes, every_s: float = 0.0) -> Callable[..., object]:
    async def script(
        peer: Upstream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await peer.request(reader)
        writer.write(sent)
        while every_s:
            await asyncio.sleep(every_s)
            writer.write(b".")
        await peer.until_gone(reader)

    return script


@pytest.mark.parametrize(
    ("sent", "limits", "failure"),
    [
        (b"", within(first_byte_s=0.1), FirstByteTimedOut),
        (b"HTTP/1.1 200 OK\r\nX: ", within(first_byte_s=0.1), FirstByteTimedOut),
        (b"HTTP/1.1 100 Continue\r\n\r\n", within(first_byte_s=0.1), FirstByteTimedOut),
        (b"", within(total_s=0.1), TotalTimedOut),
        (b"", within(first_byte_s=0.1, total_s=0.2, idle_s=0.01), FirstByteTimedOut),
        (HEAD, within(idle_s=0.1), IdleTimedOut),
        (HEAD + b"x", within(idle_s=0.1), IdleTimedOut),
        (HEAD + b"x", within(total_s=0.1, first_byte_s=0.05), TotalTimedOut),
    ],
)
async def test_the_earliest_limit_names_the_failure_and_cuts_the_connection(
    sent: bytes, limits: Limits, failure: type[UpstreamError]
) -> None:
    async with upstream(saying(sent)) as peer, pool_to(peer) as pool:  # type: ignore[arg-type]
        with pytest.raises(failure):
            await whole(pool, limits)
        async with asyncio.timeout(PATIENCE_S):
            await peer.gone.wait()
        assert (pool.idle, pool.busy, pool.traffic.retried) == (0, 0, 0)


@pytest.mark.parametrize("sent", [b"", HEAD, HEAD + b"x"])
async def test_giving_up_is_told_from_a_timeout(sent: bytes) -> None:
    async with upstream(saying(sent)) as peer, pool_to(peer) as pool:  # type: ignore[arg-type]
        limits = within(first_byte_s=0.2, idle_s=0.2, give_up_at_s=monotonic() + 0.1)
        with pytest.raises(GaveUp):
            await whole(pool, limits)
        assert pool.busy == 0


async def test_bytes_that_keep_coming_are_bounded_by_the_total_only() -> None:
    async with upstream(saying(HEAD, every_s=0.02)) as peer, pool_to(peer) as pool:  # type: ignore[arg-type]
        reply = await pool.send(head(pool), b"", within(idle_s=0.2, total_s=0.6))
        begun_s = monotonic()
        with pytest.raises(TotalTimedOut):
            await reply.read_all(1_000)
        assert monotonic() - begun_s > 0.4


async def test_the_give_up_point_may_move_nearer_while_a_caller_waits() -> None:
    async with upstream(saying(HEAD)) as peer, pool_to(peer) as pool:  # type: ignore[arg-type]
        reply = await pool.send(head(pool), b"", within())
        reading = asyncio.create_task(reply.read())
        await asyncio.sleep(0.05)
        reply.give_up_at(monotonic() + 0.05)
        with pytest.raises(GaveUp):
            async with asyncio.timeout(PATIENCE_S):
                await reading


async def test_the_give_up_point_may_move_away() -> None:
    async with upstream(saying(HEAD + b"x", every_s=0.2)) as peer, pool_to(peer) as pool:  # type: ignore[arg-type]
        reply = await pool.send(head(pool), b"", within(give_up_at_s=monotonic() + 0.15))
        assert await reply.read() == b"x"
        reply.give_up_at(inf)
        assert await reply.read() == b"."
        assert await reply.read() == b"."
        reply.close()


async def test_limits_hold_although_nobody_waits() -> None:
    async with upstream(saying(HEAD + b"x")) as peer, pool_to(peer) as pool:  # type: ignore[arg-type]
        reply = await pool.send(head(pool), b"", within(total_s=0.1))
        async with asyncio.timeout(PATIENCE_S):
            await peer.gone.wait()
        assert pool.busy == 0
        assert await reply.read() == b"x"
        with pytest.raises(TotalTimedOut):
            await reply.read()
        reply.close()


async def test_a_caller_that_does_not_read_is_no_idle_upstream() -> None:
    async with upstream(saying(HEAD + b"x")) as peer, pool_to(peer) as pool:  # type: ignore[arg-type]
        reply = await pool.send(head(pool), b"", within(idle_s=0.1))
        await asyncio.sleep(0.3)
        assert await reply.read() == b"x"
        with pytest.raises(IdleTimedOut):
            await reply.read()


async def test_limits_of_one_exchange_do_not_fall_on_the_next() -> None:
    async def script(
        peer: Upstream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            await asyncio.sleep(float(await peer.request(reader)))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with upstream(script) as peer, pool_to(peer) as pool:
        for delay, limits in [
            (b"0.0", within(first_byte_s=0.2, total_s=0.2)),
            (b"0.4", within()),
            (b"0.0", within(give_up_at_s=monotonic() + 1.0)),
            (b"1.0", within()),
        ]:
            reply = await pool.send(head(pool, 3), delay, limits)
            assert await reply.read_all(10) == b""
            reply.close()
        with pytest.raises(FirstByteTimedOut):
            await pool.send(head(pool, 3), b"0.5", within(first_byte_s=0.1))
        assert pool.traffic.opened == 1


async def test_the_first_byte_is_not_due_while_the_request_is_still_leaving() -> None:
    async def script(
        peer: Upstream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await asyncio.sleep(0.5)
        await peer.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await peer.until_gone(reader)

    body = bytes(20_000_000)
    async with upstream(script) as peer, pool_to(peer) as pool:
        reply = await pool.send(head(pool, len(body)), body, within(first_byte_s=0.25))
        assert await reply.read_all(10) == b"ok"
        reply.close()


async def test_a_connect_that_hangs_is_a_timeout_or_given_up() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        pool = Pool(Origin.parse(f"http://127.0.0.1:{port}"), PoolLimits())
        for limits, failure in [
            (within(connect_s=0.1), ConnectTimedOut),
            (within(connect_s=0.5, give_up_at_s=monotonic() + 0.2), GaveUp),
            (within(connect_s=0.5, total_s=0.1), TotalTimedOut),
        ]:
            with pytest.raises(failure):
                await pool.send(head(pool), b"", limits)
            await eventually(lambda: pool.busy == 0)
        task = asyncio.create_task(pool.send(head(pool), b"", within(connect_s=0.5)))
        await eventually(lambda: pool.busy == 1)
        task.cancel()
        await eventually(lambda: pool.busy == 0)
        await pool.close()
        for filler in fillers:
            filler.close()
