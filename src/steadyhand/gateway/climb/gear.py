"""What climbs share within one gateway process, whatever the snapshot."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import random

from steadyhand.gateway.climb.harvest import Harvest
from steadyhand.gateway.climb.samples import Samples
from steadyhand.records.annotation import Annotation
from steadyhand.routing.exposure import Lease
from steadyhand.routing.health.book import Health
from steadyhand.routing.hedging import HedgeBudgets
from steadyhand.routing.model import DeploymentId

IsProven = Callable[[str, int, DeploymentId | None], bool]
"""Tells of (route, rung, deployment or ``None`` for a stored rung) whether it was proved lately."""


class HedgeCounts:
    """Hedges of a process, by named reasons.

    Attributes:
        outcomes: Those that were started, by how they ended: ``won``, ``lost``, ``failed`` ...
        refused: Those that were due and not started, by why.
    """

    def __init__(self) -> None:
        """Start at nothing."""
        self.outcomes: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()


@dataclass(frozen=True, slots=True)
class Gear:
    """Belongs to a process; survives reloads.

    Attributes:
        health: Of every deployment.
        hedges: What may be spent on second attempts.
        hedge_counts: What came of them.
        harvest: Finishes live answers that came too late for their own request.
        draw: Returns a random number in [0, 1); one for each request, recorded.
        annotate: Takes facts that come after a request's record; ``None`` drops them.
        is_proven: See :data:`IsProven`; ``None`` where nothing proves rungs: all pass as proved.
        lease: Of candidates.
        samples: Of answers that are checked later; ``None`` if no route has any.
    """

    health: Health = field(default_factory=Health)
    hedges: HedgeBudgets = field(default_factory=HedgeBudgets)
    hedge_counts: HedgeCounts = field(default_factory=HedgeCounts)
    harvest: Harvest = field(default_factory=Harvest)
    draw: Callable[[], float] = random
    annotate: Callable[[Annotation], object] | None = None
    is_proven: IsProven | None = None
    lease: Lease = field(default_factory=Lease)
    samples: Samples | None = None
