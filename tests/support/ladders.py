"""Rungs and gear for climbs in memory: learned costs, stored answers, deployments side by side."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace
from typing_extensions import override

from steadyhand.gateway.climb.gear import Gear
from steadyhand.gateway.climb.harvest import Harvest, HarvestLimits
from steadyhand.records.annotation import Annotation
from steadyhand.routing.health.book import Health
from steadyhand.routing.health.cohorts import Pulse
from steadyhand.routing.health.deployment import DeploymentHealth
from steadyhand.routing.health.reading import Reading
from steadyhand.routing.hedging import HedgeBudgets
from steadyhand.routing.model import DeploymentId
from steadyhand.routing.planning.situation import Cost
from steadyhand.routing.ports import RungPorts
from steadyhand.routing.rungs import live
from steadyhand.routing.rungs.base import GoodAnswer, Question, StoredAnswer

QUICK_COST = Cost(500, 1_000, 1_000_000, 1_000)
"""Known to answer at once, but for a long tail: a hedge is due after about 30 ms, and time is up
only a second or two later, so that a slow machine does not take the one for the other."""


PATIENCE_S = 60.0


class KnownDeployment(DeploymentHealth):
    """Health whose cost is known from the beginning."""

    def __init__(self, cost: Cost) -> None:
        super().__init__(Pulse())
        self._cost = cost

    @override
    def reading(self, now_s: float) -> Reading:
        return replace(super().reading(now_s), stream=self._cost, whole=self._cost)


class KnownHealth(Health):
    """A book in which some deployments are known; ``slow`` providers are slow for everybody."""

    def __init__(self, costs: Mapping[str, Cost], slow: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._known = {provider: KnownDeployment(cost) for provider, cost in costs.items()}
        self._slow = slow

    @override
    def of(self, deployment: DeploymentId) -> DeploymentHealth:
        return self._known.get(deployment.provider) or super().of(deployment)

    @override
    def is_provider_slow(self, provider: str, now_s: float) -> bool:
        return provider in self._slow


async def until(condition: Callable[[], bool]) -> None:
    """Wait until ``condition`` holds, far longer than it should take."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.001)


def live_rung(ports: RungPorts, *providers: str, **settings: Any) -> live.Live:
    """Return a live rung with a deployment at each of ``providers``, in the region of its name."""
    tables = [
        {"provider": name, "model": f"{name}-model", "region": name.partition("-")[2]}
        for name in providers
    ]
    return live.build(live.Settings.model_validate({"deployments": tables, **settings}), ports)


def gear_with(
    costs: Mapping[str, Cost] | None = None,
    *,
    slow: tuple[str, ...] = (),
    tokens: float = 5.0,
    tenant: str = "acme",
    limits: HarvestLimits | None = None,
    annotations: list[Annotation] | None = None,
    draw: float = 0.5,
) -> Gear:
    """Return gear in which ``costs`` are known, and a tenant may hedge ``tokens`` times."""
    hedges = HedgeBudgets()
    for provider in costs or {}:
        hedges.of(tenant, provider).tokens = tokens
    return Gear(
        health=KnownHealth(costs or {}, slow),
        hedges=hedges,
        harvest=Harvest(limits),
        draw=lambda: draw,
        annotate=None if annotations is None else annotations.append,
    )


class ScriptedStored:
    """A stored rung that has what a test gives it.

    Attributes:
        kind: ``cache`` unless told otherwise.
        has_slow_tiers: Whether there is something to fetch.
        cost: What a fetch is expected to take.
        questions: What it was asked, from memory and from slower tiers.
        kept: What it was offered.
        fetches: How often its slower tiers were asked.
        cancelled: Fetches that were given up.
    """

    def __init__(
        self,
        peeked: StoredAnswer | None = None,
        fetched: StoredAnswer | None = None,
        *,
        kind: str = "cache",
        is_slow: bool = False,
        gate: asyncio.Event | None = None,
    ) -> None:
        self.kind = kind
        self.has_slow_tiers = is_slow or fetched is not None
        self.cost = Cost(500, 1_000, 100_000, 0)
        self.questions: list[Question] = []
        self.kept: list[GoodAnswer] = []
        self.fetches = 0
        self.cancelled = 0
        self._peeked = peeked
        self._fetched = fetched
        self._gate = gate

    def peek(self, question: Question) -> StoredAnswer | None:
        self.questions.append(question)
        return self._peeked

    async def fetch(self, question: Question, until_s: float) -> StoredAnswer | None:
        self.fetches += 1
        try:
            if self._gate is not None:
                await self._gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return self._fetched

    def keep(self, question: Question, answer: GoodAnswer) -> None:
        self.kept.append(answer)
