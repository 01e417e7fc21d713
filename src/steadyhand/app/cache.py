"""The cache put together: tiers as the settings say, and epochs watched."""

import asyncio
import logging
import os
from importlib import import_module
from pathlib import Path

from steadyhand.app.state import State, secret_resolver
from steadyhand.caching.database_link import DatabaseLink
from steadyhand.caching.epoch_file import EpochWatch
from steadyhand.caching.epochs import ALL, Epochs
from steadyhand.caching.hot import HotTier
from steadyhand.caching.link import Link
from steadyhand.caching.remote import RemoteTier
from steadyhand.caching.service import Cache
from steadyhand.core.errors import ConfigurationError
from steadyhand.records.clock import wall_clock_us
from steadyhand.settings.model import Settings

logger = logging.getLogger(__name__)

EPOCH_POLL_S = 0.25
"""A flush reaches every gateway within this and the time of a file's replacement."""
REDIS_LINK = "steadyhand.caching.redis_link"
"""Imported by name: the library is an extra."""


def open_cache(settings: Settings, secret: bytes) -> Cache:
    """Return the cache of one process; nothing is connected before it is first asked.

    Args:
        settings: Of the workspace.
        secret: The installation's own: addresses and seals are made with it.

    Raises:
        ConfigurationError: Redis is configured and its library is missing, or its address is none.
        SecretUnavailable: Its address is not where the reference says.
    """
    table = settings.cache
    remotes = []
    if table.redis_url is not None:
        link = _redis_link(settings, table.redis_url)
        remotes.append(RemoteTier(link, "warm", table.redis_timeout_ms / 1000))
    if table.database:
        tier = "cold" if remotes else "warm"
        link = DatabaseLink(State(settings).cache_socket)
        remotes.append(RemoteTier(link, tier, table.database_timeout_ms / 1000))
    hot = HotTier(table.hot_mib << 20)
    cache = Cache(secret, hot, remotes, wall_clock_us, max_age_s=table.max_age_s)
    take_over(cache, EpochWatch(State(settings).cache_epochs), is_start=True)
    return cache


async def watch_epochs(cache: Cache, path: Path) -> None:
    """Take over flushes until cancelled."""
    watch = EpochWatch(path)  # it may have changed since the cache was opened
    while True:
        await asyncio.sleep(EPOCH_POLL_S)
        if watch.changed():
            take_over(cache, watch)


def take_over(cache: Cache, watch: EpochWatch, *, is_start: bool = False) -> None:
    """Put the epochs of the file in force.

    One that cannot be read may say that anything was flushed. At a start everything is taken for
    flushed then; later the epochs in force stay, and what is in memory goes.
    """
    found = watch.read()
    if found is None:
        logger.error("the epochs of the cache cannot be read; 'steadyhand cache flush' mends it")
        cache.failures["epochs"] += 1
        found = Epochs().after(ALL, ALL, wall_clock_us()) if is_start else cache.epochs
    elif found == cache.epochs:
        return
    cache.begin(found)


def _redis_link(settings: Settings, url: str) -> Link:
    if url.startswith(("env:", "file:")):
        url = secret_resolver(settings.workspace, os.environ)(url)
    try:
        plugin = import_module(REDIS_LINK)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "[cache] redis_url is set and the library for Redis is not installed",
            hint="pip install 'steadyhand[redis]'",
        ) from error
    try:
        link: Link = plugin.RedisLink(url)
    except ValueError as error:
        raise ConfigurationError(
            "[cache] redis_url is no address of a Redis", hint="redis://127.0.0.1:6379/0"
        ) from error
    return link
