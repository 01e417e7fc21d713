"""A live rung: one model, or several that may stand in for each other, at one or more providers."""

from collections.abc import Coroutine, Mapping
from math import inf
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from steadyhand.core.errors import ConfigurationError
from steadyhand.http.messages import Limits, UpstreamReply
from steadyhand.providers.base import Call, Failure, Provider
from steadyhand.routing.load import PeakEwma
from steadyhand.routing.model import DeploymentId
from steadyhand.routing.ports import RungPorts
from steadyhand.routing.rungs.base import Sticky
from steadyhand.routing.strategy import (
    Arm,
    Strategy,
    by_load,
    by_priority,
    by_unit,
    by_weight,
)

IS_FLOOR = False


class DeploymentSettings(BaseModel):
    """One table of ``deployments``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str = Field(description="name of a [providers.<name>] table")
    model: str = Field(min_length=1, description="the provider's name of the model")
    region: str = Field(
        default="", description="where it runs; hedges never go to another region than the first"
    )
    weight: float = Field(
        default=1,
        ge=0,
        allow_inf_nan=False,
        description="for `weighted`: its part of the requests against the others'; 0 for only "
        "after them",
    )
    priority: int = Field(default=0, description="for `priority`: lower goes first")


class Settings(BaseModel):
    """Keys of ``[[rungs]]`` when ``kind = "live"``: either provider and model, or deployments."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str | None = Field(
        default=None, description="name of a [providers.<name>] table, for a single deployment"
    )
    model: str | None = Field(
        default=None, min_length=1, description="the provider's name of the model"
    )
    region: str = Field(default="", description="where the single deployment runs")
    deployments: tuple[DeploymentSettings, ...] = Field(
        default=(),
        description="several in place of provider and model: tables with `provider`, `model`, "
        "`region`, `weight` and `priority`",
    )
    strategy: Strategy = Field(
        default="priority",
        description="which deployment goes first: `priority`, `weighted` (also for A/B tests), or "
        "`latency` (the less loaded of two drawn); the others follow if it fails",
    )
    sticky: Sticky = Field(
        default="",
        description="for `weighted`: who keeps the same deployment, `user`, `conversation` or "
        "`key`; default: every request is drawn",
    )
    hedge: bool = Field(
        default=False,
        description="start a second attempt when the first is slower than almost all before it; "
        "the first content wins",
    )
    prompt: str | None = Field(
        default=None,
        description="name of a file in `prompts/` whose text goes before the messages in place of "
        "the route's own prompt: a safe prompt for a fallback model",
    )
    give_up_ms: float | None = Field(
        default=None,
        gt=0,
        description="move on after this long without content (without a whole answer, if it is "
        "not a stream); default: what the planner gives it of the time left",
    )

    @model_validator(mode="after")
    def _names_whom_to_ask(self) -> Self:
        """Refuse a rung that asks nobody, or that says it twice."""
        single = self.provider is not None or self.model is not None
        if single and self.deployments:
            raise ValueError("give provider and model, or deployments; not both")
        if not self.deployments and (self.provider is None or self.model is None):
            raise ValueError("name whom to ask: provider and model, or deployments")
        if self.deployments and self.region:
            raise ValueError("region: write it into each table of deployments")
        return self

    @model_validator(mode="after")
    def _deployments_fit_the_strategy(self) -> Self:
        """Refuse what could never be chosen, or would be chosen otherwise than it says."""
        named = [(d.provider, d.model, d.region) for d in self.deployments]
        if len(set(named)) < len(named):
            raise ValueError("deployments: the same provider, model and region stand there twice")
        is_drawn = self.strategy == "weighted" and self.deployments
        if is_drawn and not any(d.weight for d in self.deployments):
            raise ValueError("deployments: all weights are 0, so none would go first")
        if self.sticky and self.strategy != "weighted":
            raise ValueError("sticky: set strategy = 'weighted' as well; the others follow no unit")
        return self

    def all_deployments(self) -> tuple[DeploymentSettings, ...]:
        """Return the deployments, a single one included."""
        if self.provider is None or self.model is None:
            return self.deployments
        single = {"provider": self.provider, "model": self.model, "region": self.region}
        return (DeploymentSettings.model_validate(single),)


class LiveDeployment:
    """See :class:`steadyhand.routing.rungs.base.Deployment`."""

    def __init__(
        self,
        deployment: DeploymentId,
        provider: Provider,
        give_up_ms: float | None = None,
        load: PeakEwma | None = None,
    ) -> None:
        """Bind a deployment to its provider."""
        self.id = deployment
        self.give_up_ms = give_up_ms
        self.load = load
        self._provider = provider

    def open(
        self, call: Call, give_up_at_s: float, cap_s: float
    ) -> Coroutine[Any, Any, UpstreamReply]:
        """See :class:`steadyhand.routing.rungs.base.Deployment`."""
        # Connect, first-byte and idle times are the provider's own settings; it takes the least.
        return self._provider.open(call, Limits(inf, inf, inf, cap_s, give_up_at_s))

    def classify(self, status: int, headers: Mapping[bytes, bytes], body: bytes) -> Failure:
        """See :class:`steadyhand.routing.rungs.base.Deployment`."""
        return self._provider.classify(status, headers, body)


class Live:
    """See :class:`steadyhand.routing.rungs.base.LiveRung`."""

    kind: Literal["live"] = "live"

    def __init__(self, settings: Settings, deployments: tuple[LiveDeployment, ...]) -> None:
        """Order ``deployments``, which are those of ``settings``."""
        self.deployments = deployments
        self.sticky = settings.sticky
        self.may_hedge = settings.hedge
        arms = tuple(
            Arm("/".join(deployment.id), table.weight, table.priority)
            for deployment, table in zip(deployments, settings.all_deployments(), strict=True)
        )
        self._arms = arms
        self._is_by_load = settings.strategy == "latency"
        self._fixed: tuple[LiveDeployment, ...] | None = None
        if len(arms) == 1 or settings.strategy == "priority":
            self._fixed = tuple(deployments[index] for index in by_priority(arms))
        self.is_drawn = self._fixed is None

    def candidates(self, draw: float, unit: str) -> tuple[LiveDeployment, ...]:
        """See :class:`steadyhand.routing.rungs.base.LiveRung`."""
        if self._fixed is not None:
            return self._fixed
        if self._is_by_load:
            loads = [d.load.load if d.load is not None else 0.0 for d in self.deployments]
            order = by_load(loads, draw)
        else:
            order = by_unit(self._arms, unit) if unit else by_weight(self._arms, draw)
        return tuple(self.deployments[index] for index in order)


def build(settings: Settings, ports: RungPorts) -> Live:
    """Make a live rung.

    Raises:
        ConfigurationError: No provider of a name that it uses.
    """
    return Live(
        settings,
        tuple(_deployment(table, settings, ports) for table in settings.all_deployments()),
    )


def _deployment(table: DeploymentSettings, settings: Settings, ports: RungPorts) -> LiveDeployment:
    provider = ports.providers.get(table.provider)
    if provider is None:
        raise ConfigurationError(
            f"no provider {table.provider!r}", hint=f"add [providers.{table.provider}]"
        )
    found = DeploymentId(table.provider, table.model, table.region)
    load = ports.loads.of(found) if settings.strategy == "latency" else None
    return LiveDeployment(found, provider, settings.give_up_ms, load)
