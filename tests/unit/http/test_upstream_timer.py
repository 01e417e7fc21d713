"""The one timer of an upstream connection fires at odd moments, and names what is really due."""

import asyncio
import socket
from collections.abc import Iterator
from math import inf
from typing import Any

import pytest
from typing_extensions import override

from steadyhand.http.limits import PoolLimits
from steadyhand.http.messages import Limits
from steadyhand.http.origin import Origin
from steadyhand.http.pool import Pool
from steadyhand.http.upstream import UpstreamConnection

WHOLE = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
PART = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nfirst"


class Discarding(asyncio.Transport):
    """Takes what is written."""

    @override
    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    @override
    def write(self, data: Any) -> None: ...

    @override
    def abort(self) -> None: ...


def limits(first_byte_s: float) -> Limits:
    return Limits(connect_s=1, first_byte_s=first_byte_s, idle_s=5, total_s=60, give_up_at_s=inf)


@pytest.fixture
def transport() -> Iterator[Discarding]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Discarding({"socket": ours})


async def test_a_head_that_is_not_yet_taken_has_no_idle_limit(transport: Discarding) -> None:
    pool = Pool(Origin.parse("http://127.0.0.1:9"), PoolLimits())
    connection = UpstreamConnection(pool, asyncio.get_running_loop())
    connection.connection_made(transport)
    connection.begin(b"", b"", limits(first_byte_s=0.01), begun_s=asyncio.get_running_loop().time())
    connection.data_received(WHOLE)
    connection.answered()
    connection.take()
    connection.release()

    connection.begin(b"", b"", limits(first_byte_s=5), begun_s=asyncio.get_running_loop().time())
    connection.data_received(PART)
    await asyncio.sleep(0.05)  # the first exchange's timer fires; the caller has yet to wake up

    assert connection.failure is None
    assert not connection.closed
    connection.answered()
    assert connection.take() == b"first"
    connection.abort()
