"""Redis as a tier: two connections of redis-py, and no reply taken for another's.

Imported only where ``[cache] redis_url`` is set: the library is the extra ``redis``.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    InvalidResponse,
    NoPermissionError,
    OutOfMemoryError,
    RedisError,
)
from redis.exceptions import ConnectionError as RedisConnectionError

from steadyhand.caching.link import Item, LinkFailed
from steadyhand.records.clock import wall_clock_us

PREFIX = b"steadyhand:cache:"
CLOSE_WITHIN_S = 0.1

_REASONS = (
    (AuthenticationError, "auth"),
    (NoPermissionError, "auth"),
    (OutOfMemoryError, "full"),
    (InvalidResponse, "protocol"),
    (RedisConnectionError, "refused"),
    (RedisError, "error"),
    (OSError, "refused"),
)


class RedisLink:
    """See :class:`steadyhand.caching.link.Link`. Connects when it is first used."""

    backend = "redis"

    def __init__(self, url: str) -> None:
        """Take an address such as ``redis://127.0.0.1:6379/0``.

        Raises:
            ValueError: It is no such address.
        """
        self.is_open = False
        self._reads = _pool(url)
        self._writes = _pool(url)
        self._reader: Redis = Redis(connection_pool=self._reads)
        self._writer: Redis = Redis(connection_pool=self._writes)

    async def open(self) -> None:
        """See :class:`steadyhand.caching.link.Link`."""
        async with self._letting_go(self._reads):
            await self._reader.ping()
        self.is_open = True

    async def get(self, addresses: Sequence[bytes]) -> Sequence[bytes | None]:
        """See :class:`steadyhand.caching.link.Link`."""
        async with self._letting_go(self._reads):
            found = await self._reader.mget([PREFIX + address for address in addresses])
            if len(found) != len(addresses):
                raise LinkFailed("protocol")
        return [value if isinstance(value, bytes) else None for value in found]

    async def put(self, items: Sequence[Item]) -> None:
        """See :class:`steadyhand.caching.link.Link`."""
        now_us = wall_clock_us()
        pipeline = self._writer.pipeline(transaction=False)
        for item in items:
            left_ms = (item.expires_us - now_us) // 1000
            if left_ms > 0:
                pipeline.set(PREFIX + item.address, item.sealed, px=left_ms)
        async with self._letting_go(self._writes):
            await pipeline.execute()

    async def close(self) -> None:
        """See :class:`steadyhand.caching.link.Link`."""
        for pool in (self._reads, self._writes):
            await _disconnect(pool)

    @asynccontextmanager
    async def _letting_go(self, pool: ConnectionPool) -> AsyncIterator[None]:
        """Close the connection of ``pool`` unless all went well, whatever is on its way there."""
        try:
            yield
        except BaseException as error:
            self.is_open = self.is_open and pool is not self._reads
            await _disconnect(pool)
            if isinstance(error, asyncio.CancelledError | LinkFailed):
                raise  # cancelled: by the caller's time limit
            raise LinkFailed(_reason(error)) from error


def _pool(url: str) -> ConnectionPool:
    # RESP 2 and no client name: three round trips fewer on each connection.
    return ConnectionPool.from_url(
        url,
        max_connections=1,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=None,  # the caller cancels
        protocol=2,
        driver_info=None,
    )


def _reason(error: BaseException) -> str:
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason
    return "protocol"  # its parser fell over what came


async def _disconnect(pool: ConnectionPool) -> None:
    with suppress(OSError, RedisError, TimeoutError):
        async with asyncio.timeout(CLOSE_WITHIN_S):
            await pool.disconnect(inuse_connections=True)
