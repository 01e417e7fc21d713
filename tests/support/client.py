"""The native client against a :mod:`tests.support.hostile_upstream`: pools, questions, waits."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from steadyhand.http.limits import PoolLimits
from steadyhand.http.messages import Limits
from steadyhand.http.origin import Origin, request_head
from steadyhand.http.pool import Pool
from steadyhand.http.resolver import Lookup, look_up
from tests.support.hostile_upstream import Visit
from tests.support.wire import within

PATIENCE_S = 20.0


@asynccontextmanager
async def pool_at(
    port: int,
    limits: PoolLimits | None = None,
    *,
    host: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
    lookup: Lookup = look_up,
) -> AsyncIterator[Pool]:
    """Open a pool to a port of this machine."""
    scheme = "https" if tls else "http"
    shown = f"[{host}]" if ":" in host else host
    origin = Origin.parse(f"{scheme}://{shown}:{port}")
    pool = Pool(origin, limits or PoolLimits(), tls, lookup=lookup)
    try:
        yield pool
    finally:
        await pool.close()


async def ask(
    pool: Pool,
    limits: Limits | None = None,
    body: bytes = b"",
    *,
    method: bytes = b"POST",
    replayable: bool = True,
) -> bytes:
    """Send one request and read its whole answer."""
    head = request_head(method, b"/p", pool.origin, (), len(body))
    reply = await pool.send(head, body, limits or within(), replayable=replayable)
    try:
        return await reply.read_all(1_000_000)
    finally:
        reply.close()


async def left(visit: Visit) -> None:
    """Wait until the client has closed a connection."""
    assert await asyncio.to_thread(visit.gone.wait, PATIENCE_S), "the connection is still open"
