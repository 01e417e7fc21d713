"""The control process's part of the cache: the database tier, flushes, and what REST shows."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from steadyhand.app.state import State
from steadyhand.caching import epoch_file
from steadyhand.caching.epochs import Epochs
from steadyhand.caching.host import CacheHost
from steadyhand.caching.ports import CachePorts
from steadyhand.caching.store import CacheStore
from steadyhand.control.deployment import published
from steadyhand.records.clock import wall_clock_us
from steadyhand.settings.model import Settings
from steadyhand.snapshot.model import Snapshot
from steadyhand.storage.database import Database
from steadyhand.telemetry.status import read_statuses

logger = logging.getLogger(__name__)

CACHE_LOCK_MS = 250
"""A gateway has gone on long before; the connection must not be held by one lock for ever."""


def cache_ports(
    state: State, store: CacheStore, snapshot: Callable[[], Snapshot | None]
) -> CachePorts:
    """Return what the REST of the cache needs."""

    def flush(route: str, tenant: str) -> Epochs:
        return epoch_file.flush(state.cache_epochs, route, tenant, wall_clock_us())

    return CachePorts(
        statuses=lambda: read_statuses(state.run, wall_clock_us()),
        stock=store.stock,
        epochs=partial(epoch_file.read, state.cache_epochs),
        flush=flush,
        delete=store.flush,
        routes=lambda: published(snapshot).routes.keys(),
        tenants=lambda: {key.tenant for key in published(snapshot).keys.values()},
    )


async def host_cache(settings: Settings, state: State, database: Database) -> None:
    """Serve the database's tier until cancelled; without it the gateways go on."""
    if not settings.cache.database:
        return
    host = CacheHost(CacheStore(database), settings.cache.database_mib << 20, wall_clock_us)
    try:
        await host.serve(state.cache_socket)
    except OSError as error:
        logger.error("the database's tier of the cache is not served: %s", error)  # noqa: TRY400
    except asyncio.CancelledError:
        if host.dropped:
            logger.warning("%d answers were not kept", host.dropped)
        raise
