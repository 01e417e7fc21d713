"""A rung that answers with what a live rung answered to exactly the same question before."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from steadyhand.core.errors import ConfigurationError
from steadyhand.routing.freshness import Freshness, Use
from steadyhand.routing.planning.situation import Cost
from steadyhand.routing.ports import CachedAnswer, CachePort, CacheTerms, RungPorts
from steadyhand.routing.rungs.base import GoodAnswer, Question, StoredAnswer

IS_FLOOR = False

ROUND_TRIP_US = 1_000
"""A look beyond memory, as long as nothing is wrong; the rest is what tiers may take if it is."""

_REASONS: dict[Use, str] = {
    "fresh": "fresh_hit",
    "revalidate": "revalidated_hit",
    "stale": "stale_hit",
}


class Settings(BaseModel):
    """Keys of ``[[rungs]]`` when ``kind = "cache"``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fresh_s: float = Field(
        default=300.0,
        ge=0,
        description="so long after a live rung gave it, an answer speaks in the rung's place",
    )
    revalidate_s: float = Field(
        default=0.0,
        ge=0,
        description="so much longer it still speaks at once, while a live rung refreshes it behind",
    )
    stale_s: float = Field(
        default=86_400.0,
        ge=0,
        description="so much longer than `fresh_s` it speaks if no live rung did in time",
    )
    shared: bool = Field(
        default=False,
        description="whether answers are the same for all users of a tenant; else each end user "
        "has their own, or each key where the request names no user",
    )
    sampled: bool = Field(
        default=True,
        description="whether answers to requests are kept whose `temperature` is not 0, too",
    )


class Cache:
    """See :class:`steadyhand.routing.rungs.base.StoredRung`."""

    kind: Literal["cache"] = "cache"

    def __init__(self, settings: Settings, port: CachePort) -> None:
        """Bind a route's terms to the cache of the process."""
        self._freshness = Freshness(settings.fresh_s, settings.revalidate_s, settings.stale_s)
        self._terms = CacheTerms(settings.shared, settings.sampled, self._freshness.keep_s)
        self._port = port
        self.has_slow_tiers = port.has_slow_tiers
        longest_us = max(round(port.patience_s * 1e6), ROUND_TRIP_US)
        self.cost = Cost(ROUND_TRIP_US, (ROUND_TRIP_US + longest_us) // 2, longest_us, samples=0)

    def peek(self, question: Question) -> StoredAnswer | None:
        """See :class:`steadyhand.routing.rungs.base.StoredRung`."""
        found = self._port.peek(question, self._terms)
        return None if found is None else self._answer(question, found)

    async def fetch(self, question: Question, until_s: float) -> StoredAnswer | None:
        """See :class:`steadyhand.routing.rungs.base.StoredRung`."""
        found = await self._port.fetch(question, self._terms, until_s)
        return None if found is None else self._answer(question, found)

    def keep(self, question: Question, answer: GoodAnswer) -> None:
        """See :class:`steadyhand.routing.rungs.base.StoredRung`."""
        self._port.keep(question, self._terms, answer)

    async def drill(self, question: Question, draw: float, until_s: float) -> str:
        """Store an entry in every tier and find it there again."""
        return await self._port.drill(question, self._terms, until_s)

    def _answer(self, question: Question, found: CachedAnswer) -> StoredAnswer | None:
        age_us = self._port.age_us(found)
        use = self._freshness.use(age_us / 1e6)
        if use == "expired":
            return None
        return StoredAnswer(
            content=found.content,
            finish_reason=found.finish_reason,
            model=found.model,
            usage=found.usage,
            deployment=found.deployment,
            age_ms=max(age_us // 1000, 0),
            reason=_REASONS[use],
            is_fresh=use != "stale",
            revalidate=use == "revalidate" and self._port.may_refresh(question, self._terms),
            answers_all=True,  # the schema is part of the question
        )


def build(settings: Settings, ports: RungPorts) -> Cache:
    """Make a cache rung.

    Raises:
        ConfigurationError: This process has no cache.
    """
    if ports.cache is None:
        raise ConfigurationError(
            "there is no cache to put a rung on", hint="give the process its [cache] table"
        )
    return Cache(settings, ports.cache)
