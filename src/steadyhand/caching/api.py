"""REST of the cache: how its tiers are, and flushes."""

import asyncio
from collections.abc import Collection

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from steadyhand.caching.epochs import ALL
from steadyhand.caching.ports import CachePorts
from steadyhand.core.errors import NotFound, SteadyhandError
from steadyhand.telemetry.status import TierStatus


class TierView(BaseModel):
    """One tier as one gateway process uses it."""

    process: int
    tier: str = Field(description="`hot`, `warm` or `cold`")
    backend: str = Field(description="`memory`, `redis` or `database`")
    is_up: bool = Field(description="false while its backend fails and it is passed over")
    entries: int | None = Field(description="null where the process does not know")
    size_bytes: int | None = Field(description="null where the process does not know")
    lookups: dict[str, int] = Field(description="since the process began, by how they ended")
    stores: dict[str, int] = Field(description="likewise; and what was not kept, by why")
    evictions: int
    failures: dict[str, int] = Field(description="of the backend, by reason")


class FlushView(BaseModel):
    """One flush in force."""

    route: str = Field(description="empty for every route")
    tenant: str = Field(description="empty for every tenant")
    epoch: int = Field(description="microseconds since 1970 when it was made")


class CacheView(BaseModel):
    """The cache of this installation."""

    tiers: list[TierView]
    database_entries: int | None = Field(description="null while the database does not answer")
    database_bytes: int | None
    flushes: list[FlushView] | None = Field(description="null if they cannot be read")


class FlushRequest(BaseModel):
    """What to flush; everything if nothing is named."""

    model_config = ConfigDict(extra="forbid")

    route: str = Field(default=ALL, description="only answers of this route")
    tenant: str = Field(default=ALL, description="only answers to this tenant")


class Flushed(BaseModel):
    """A flush that was made: no gateway serves an older entry a second after it."""

    route: str
    tenant: str
    epoch: int
    deleted: int | None = Field(
        description="entries deleted from the database; null if it did not answer: they are out of "
        "reach all the same, and expire"
    )


def router(ports: CachePorts) -> APIRouter:
    """Make the cache's router."""
    cache = APIRouter(prefix="/cache", tags=["cache"])

    @cache.get("", summary="Show the cache", operation_id="show_cache")
    async def show_cache() -> CacheView:
        epochs = ports.epochs()
        try:
            stock = await asyncio.to_thread(ports.stock)
        except SteadyhandError:
            stock = None
        return CacheView(
            tiers=[
                _tier(process, tier)
                for process, status in sorted(ports.statuses().items())
                for tier in status.tiers
            ],
            database_entries=stock.entries if stock else None,
            database_bytes=stock.size_bytes if stock else None,
            flushes=None
            if epochs is None
            else [
                FlushView(route=each.route, tenant=each.tenant, epoch=each.epoch)
                for each in epochs.flushes
            ],
        )

    @cache.post("/flush", summary="Flush the cache", operation_id="flush_cache")
    async def flush_cache(wanted: FlushRequest) -> Flushed:
        _known(wanted.route, "route", ports.routes())
        _known(wanted.tenant, "tenant", ports.tenants())
        epochs = await asyncio.to_thread(ports.flush, wanted.route, wanted.tenant)
        deleted: int | None
        try:
            deleted = await asyncio.to_thread(ports.delete, wanted.route, wanted.tenant)
        except SteadyhandError:
            deleted = None
        return Flushed(
            route=wanted.route,
            tenant=wanted.tenant,
            epoch=epochs.of(wanted.route, wanted.tenant),
            deleted=deleted,
        )

    return cache


def _known(name: str, what: str, known: Collection[str]) -> None:
    if name != ALL and name not in known:
        raise NotFound(f"no {what} {name!r}", hint=f"{what}s: {', '.join(sorted(known))}")


def _tier(process: int, tier: TierStatus) -> TierView:
    return TierView(
        process=process,
        tier=tier.tier,
        backend=tier.backend,
        is_up=tier.is_up,
        entries=tier.entries if tier.entries >= 0 else None,
        size_bytes=tier.size_bytes if tier.size_bytes >= 0 else None,
        lookups=tier.lookups,
        stores=tier.stores,
        evictions=tier.evictions,
        failures=tier.failures,
    )
