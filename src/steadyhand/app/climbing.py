"""What the climbs of one gateway process share, made from its settings."""

from collections.abc import Callable

from steadyhand.gateway.climb.gear import Gear, IsProven
from steadyhand.gateway.climb.harvest import Harvest, HarvestLimits
from steadyhand.gateway.climb.samples import Samples
from steadyhand.records.annotation import Annotation
from steadyhand.routing.hedging import MAX_TOKENS, HedgeBudgets
from steadyhand.routing.settings import LadderSettings
from steadyhand.telemetry.status import HedgeStatus


def open_gear(
    settings: LadderSettings,
    annotate: Callable[[Annotation], object],
    is_proven: IsProven | None = None,
    samples: Samples | None = None,
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
        samples=samples,
    )


def hedge_status(gear: Gear) -> HedgeStatus:
    """Return what the status file says of hedges and harvests."""
    return HedgeStatus(
        tokens=gear.hedges.tokens,
        capacity=MAX_TOKENS * len(gear.hedges),
        outcomes=dict(gear.hedge_counts.outcomes),
        refused=dict(gear.hedge_counts.refused),
        harvests=dict(gear.harvest.outcomes),
    )
