"""The tiers of the cache with real parts behind them: Redis, and SQLite behind a control's host."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from time import monotonic

from steadyhand.caching.database_link import DatabaseLink
from steadyhand.caching.host import CacheHost
from steadyhand.caching.hot import HotTier
from steadyhand.caching.link import Item
from steadyhand.caching.remote import RemoteTier
from steadyhand.caching.service import Cache
from steadyhand.caching.store import CacheStore
from steadyhand.records.clock import wall_clock_us
from steadyhand.storage.database import Database
from steadyhand.storage.migrations import upgrade
from steadyhand.storage.open import open_database, sqlite_url

SECRET = b"s" * 32
MANY_BYTES = 1 << 30


def item(number: int, sealed: bytes = b"sealed", *, lives_s: float = 60.0, **whose: str) -> Item:
    """Return an entry to store; its bytes are not those of an answer."""
    expires_us = wall_clock_us() + round(lives_s * 1e6)
    named = {"tenant": "acme", "route": "support", **whose}
    return Item(address(number), sealed, expires_us, **named)


def address(number: int) -> bytes:
    return number.to_bytes(32, "big")


def cache_database(path: Path) -> Database:
    """Open a SQLite file at the newest schema."""
    database = open_database(sqlite_url(path), busy_timeout_ms=100)
    upgrade(database)
    return database


@asynccontextmanager
async def cache_host(folder: Path, most_bytes: int = MANY_BYTES) -> AsyncIterator[CacheHost]:
    """Serve a database as the control process does, at ``folder/cache.sock``."""
    database = cache_database(folder / "steadyhand.db")
    host = CacheHost(CacheStore(database), most_bytes, wall_clock_us)
    serving = asyncio.create_task(host.serve(folder / "cache.sock"))
    await until((folder / "cache.sock").exists)
    try:
        yield host
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
        database.close()


@asynccontextmanager
async def cache_over(*tiers: RemoteTier, hot_bytes: int = 1 << 20) -> AsyncIterator[Cache]:
    """Give a whole cache that ends with the block."""
    cache = Cache(SECRET, HotTier(hot_bytes), tiers, wall_clock_us, max_age_s=3600)
    try:
        yield cache
    finally:
        await cache.close()


def database_tier(folder: Path, cap_s: float = 5.0) -> RemoteTier:
    """Return the tier of a database that is served in ``folder``; the cap is for slow machines."""
    return RemoteTier(DatabaseLink(folder / "cache.sock"), "cold", cap_s)


async def until(holds: Callable[[], bool], within_s: float = 20.0) -> None:
    """Wait until ``holds``."""
    give_up_s = monotonic() + within_s
    while not holds():
        assert monotonic() < give_up_s, "it never happened"
        await asyncio.sleep(0.005)
