"""What the climbs of one gateway process share, made from its settings."""

import asyncio
from collections.abc import Callable
from time import monotonic

from steadyhand.gateway.climb.gear import Gear, IsProven
from steadyhand.gateway.climb.harvest import Harvest, HarvestLimits
from steadyhand.records.annotation import Annotation
from steadyhand.routing.health.book import Health
from steadyhand.routing.hedging import MAX_TOKENS, HedgeBudgets
from steadyhand.routing.settings import LadderSettings
from steadyhand.telemetry.status import HedgeStatus

BEAT_S = 0.25
"""Seconds between two signs of life to the health book, which tells a stalled loop by them."""


def open_gear(
    settings: LadderSettings,
    annotate: Callable[[Annotation], object],
    is_proven: IsProven | None = None,
) -> Gear:
    """Return the gear of a process that has asked nobody yet."""
    limits = HarvestLimits(
        settings.harvest_max_at_once, settings.harvest_timeout_s, settings.harvest_max_bytes
    )
    return Gear(
        hedges=HedgeBudgets(settings.hedge_percent / 100),
        harvest=Harvest(limits),
        annotate=annotate,
        is_proven=is_proven,
    )


async def beat_for_ever(health: Health) -> None:
    """Tell ``health`` that the loop runs, until cancelled."""
    while True:
        health.beat(monotonic())
        await asyncio.sleep(BEAT_S)


def hedge_status(gear: Gear) -> HedgeStatus:
    """Return what the status file says of hedges and harvests."""
    return HedgeStatus(
        tokens=gear.hedges.tokens,
        capacity=MAX_TOKENS * len(gear.hedges),
        outcomes=dict(gear.hedge_counts.outcomes),
        refused=dict(gear.hedge_counts.refused),
        harvests=dict(gear.harvest.outcomes),
    )
