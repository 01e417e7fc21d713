"""Writes leave together, in order, and never later than the turn of the loop."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from typing_extensions import override

from steadyhand.http.outbox import FLUSH_BYTES, Outbox


class Received(asyncio.Protocol):
    """The reading end of one connection."""

    def __init__(self) -> None:
        self.data = b""
        self.changed = asyncio.Event()

    @override
    def data_received(self, data: bytes) -> None:
        self.data += data
        self.changed.set()


class Line:
    """A real connection on loopback: a transport to write to, and what arrived."""

    def __init__(self, transport: asyncio.Transport, received: Received) -> None:
        self.transport = transport
        self.received = received

    async def arrives(self, data: bytes) -> None:
        async with asyncio.timeout(10):
            while self.received.data != data:
                self.received.changed.clear()
                await self.received.changed.wait()


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    loop = asyncio.get_running_loop()
    received = Received()
    server = await loop.create_server(lambda: received, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    transport, _ = await loop.create_connection(asyncio.Protocol, host, port)
    yield Line(transport, received)
    transport.abort()
    server.close()
    await server.wait_closed()


async def test_writes_of_one_turn_leave_at_its_end_in_order(line: Line) -> None:
    outbox, loop = Outbox(), asyncio.get_running_loop()
    for part in (b"a", b"b", b"c"):
        outbox.write(loop, line.transport, part)
    await line.arrives(b"abc")


async def test_much_data_does_not_wait_for_the_end_of_the_turn(line: Line) -> None:
    outbox, loop = Outbox(), asyncio.get_running_loop()
    line.transport.set_write_buffer_limits(high=0)
    outbox.write(loop, line.transport, b"x" * (FLUSH_BYTES + 1))
    outbox.write(loop, line.transport, b"y")
    await line.arrives(b"x" * (FLUSH_BYTES + 1) + b"y")


async def test_what_was_written_before_an_orderly_close_arrives(line: Line) -> None:
    outbox, loop = Outbox(), asyncio.get_running_loop()
    outbox.write(loop, line.transport, b"last words")
    outbox.flush()
    line.transport.close()
    await line.arrives(b"last words")


async def test_a_connection_that_was_cut_meanwhile_is_passed_over(line: Line) -> None:
    outbox, loop = Outbox(), asyncio.get_running_loop()
    outbox.write(loop, line.transport, b"never")
    line.transport.abort()
    outbox.flush()
    await asyncio.sleep(0.01)
    assert line.received.data == b""
