"""Keys of ``[grounding]``: which answers are sampled, for how long, and who judges them."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from steadyhand.evals.grounding.sample import Terms
from steadyhand.providers.base import SecretReference

HOUR_S = 3_600


class RouteGrounding(BaseModel):
    """``[grounding.routes.<name>]``: what is sampled of a route."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sample_percent: float = Field(
        gt=0, le=100, description="of the live answers, how many are sampled and checked"
    )
    keep_hours: float = Field(
        default=24,
        gt=0,
        le=2_160,
        description="for how long a sample, its messages and its answer, is kept",
    )
    collections: tuple[str, ...] = Field(
        default=(),
        description="curated collections whose answers on what was asked count as context, beside "
        "what is labelled",
    )

    def terms(self) -> Terms:
        """Return it as decisions take it."""
        return Terms(self.sample_percent / 100, self.keep_hours * HOUR_S, self.collections)


class JudgeSettings(BaseModel):
    """``[grounding.judge]``: a model that is asked about answers that overlap cannot tell."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    route: str | None = Field(
        default=None, description="route of this installation that judges; without it none does"
    )
    key: SecretReference | None = Field(
        default=None, description="caller's key to ask it with: `env:NAME` or `file:PATH`"
    )
    url: str | None = Field(
        default=None, description="address of the AI API; by default this installation's own"
    )
    asks: Literal["unsure", "all"] = Field(
        default="unsure",
        description="`unsure`: about answers that the check cannot tell; `all`: about each sample, "
        "and its word counts",
    )
    timeout_s: float = Field(default=20.0, gt=0, le=120, description="longest time for one verdict")
    max_at_once: int = Field(default=2, ge=1, le=32, description="questions under way at once")
    most_per_hour: int = Field(
        default=100, ge=1, le=100_000, description="questions within any hour; more are not asked"
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.route is not None and self.key is None:
            raise ValueError("route: give key as well, it is asked like any route")
        return self


class GroundingSettings(BaseModel):
    """``[grounding]``: samples of answers that are checked against what they should stand in.

    Off unless a route is named. Read at the start of a process.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_sample_bytes: int = Field(
        default=98_304,
        ge=1_024,
        le=229_376,
        description="longest sample, messages and answer; a longer one is counted as not measured",
    )
    spool_max_mib: int = Field(
        default=64,
        ge=1,
        description="samples of one process that may wait to be checked; more are dropped",
    )
    routes: dict[str, RouteGrounding] = Field(
        default={}, description="name of a route → what is sampled of it"
    )
    judge: JudgeSettings = Field(
        default=JudgeSettings(), description="who is asked beside the check; by default nobody"
    )

    @model_validator(mode="after")
    def _judge_is_not_judged(self) -> Self:
        if self.judge.route is not None and self.judge.route in self.routes:
            raise ValueError("judge.route is sampled itself: each verdict would ask for another")
        return self

    def terms(self) -> dict[str, Terms]:
        """Return what is sampled, by route."""
        return {name: route.terms() for name, route in self.routes.items()}
