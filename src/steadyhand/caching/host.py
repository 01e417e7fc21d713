"""The control process's side of the cold tier: a Unix socket before the database.

Gateways import no SQL and the control process is the only writer of the database, so they ask here.
Looks and writes have a thread each: a write that waits for a lock holds up no look. Writes gather
and are committed together. Nothing here makes a gateway wait: it has a cap of its own, and a
database that is locked, full or gone is answered with a reason, or not in time.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import msgspec

from steadyhand.caching import wire
from steadyhand.caching.link import Item
from steadyhand.caching.store import CacheStore
from steadyhand.core.errors import SteadyhandError
from steadyhand.http.unix import bound

logger = logging.getLogger(__name__)

MOST_QUEUED = 8_192
MOST_COMMITTED = 512
"""Entries of one transaction."""
SWEEP_S = 30.0


class CacheHost:
    """Serves the cold tier to the gateways of this machine.

    Attributes:
        dropped: Entries for which there was no room in the queue.
        failures: Looks and commits that the database did not do.
        deleted: Entries that expired or were too many.
    """

    def __init__(self, store: CacheStore, most_bytes: int, clock_us: Callable[[], int]) -> None:
        """Take where entries are, and how many bytes of them are kept."""
        self.dropped = 0
        self.failures = 0
        self.deleted = 0
        self._store = store
        self._most_bytes = most_bytes
        self._clock_us = clock_us
        self._queue: list[Item] = []
        self._looks = ThreadPoolExecutor(1, "cache looks")
        self._writes = ThreadPoolExecutor(1, "cache writes")
        self._committing: asyncio.Task[None] | None = None
        self._serving: set[asyncio.StreamWriter] = set()

    async def serve(self, path: Path) -> None:
        """Listen at ``path`` and sweep until cancelled.

        Raises:
            OSError: The socket cannot be made.
        """
        server = await asyncio.start_unix_server(self._connected, sock=bound(path))
        try:
            async with server:
                while True:
                    await self._sweep()
                    await asyncio.sleep(SWEEP_S)
        finally:
            await self._end()

    async def _sweep(self) -> None:
        """Delete what need not be kept; a database that fails now is swept the next time."""
        loop = asyncio.get_running_loop()
        try:
            self.deleted += await loop.run_in_executor(
                self._writes, self._store.expire, self._clock_us(), self._most_bytes
            )
        except SteadyhandError:
            self.failures += 1

    async def _end(self) -> None:
        for connection in self._serving:
            connection.close()  # its reader sees the end
        if self._committing is not None:
            with suppress(asyncio.CancelledError):
                await self._committing
        self._looks.shutdown(wait=False, cancel_futures=True)
        self._writes.shutdown(wait=False, cancel_futures=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.add(writer)
        try:
            while True:
                head = await reader.readexactly(wire.HEAD_BYTES)
                asked = wire.question(await reader.readexactly(wire.length(head)))
                writer.write(wire.pack(await self._reply(asked)))
                await writer.drain()
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # the gateway has gone, or this process ends
        except (msgspec.DecodeError, ValueError) as error:
            logger.warning("a message to the cache cannot be read: %s", error)
        finally:
            self._serving.discard(writer)
            writer.close()

    async def _reply(self, asked: wire.Question) -> wire.Reply:
        if isinstance(asked, wire.Put):
            return wire.Taken(self._queued(asked.items))
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(
                self._looks, self._store.get, asked.addresses, self._clock_us()
            )
        except SteadyhandError:
            self.failures += 1
            return wire.Failed("database")
        return wire.Found(found)

    def _queued(self, items: list[Item]) -> int:
        room = items[: MOST_QUEUED - len(self._queue)]
        self._queue += room
        self.dropped += len(items) - len(room)
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_all(), name="cache commits")
        return len(room)

    async def _commit_all(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._queue:
                items, self._queue = self._queue[:MOST_COMMITTED], self._queue[MOST_COMMITTED:]
                try:
                    await loop.run_in_executor(self._writes, self._store.put, items)
                except SteadyhandError as error:
                    self.failures += 1
                    self.dropped += len(items)
                    logger.warning("%d answers are not kept: %s", len(items), error)
        finally:
            self._committing = None
