"""Keys of ``[objectives]``: what routes promise, over how long."""

from collections.abc import Collection, Iterator

from pydantic import BaseModel, ConfigDict, Field

from steadyhand.objectives.model import KINDS, Objective
from steadyhand.objectives.windows import DAY_S


class Target(BaseModel):
    """``availability``, ``in_time``, ``answered`` or ``grounded`` of a route."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    target_percent: float = Field(ge=50, lt=100, description="of the requests that have to be good")
    enabled: bool = Field(default=True, description="whether the route has this objective")


class LatencyTarget(Target):
    """``latency`` of a route."""

    threshold_ms: int = Field(
        gt=0,
        description="longest that is good: to the first content of a stream, else to the whole "
        "answer",
    )


class CostTarget(Target):
    """``cost`` of a route."""

    most_usd: float = Field(
        gt=0, description="most that a good request costs, all its attempts; see `[prices]`"
    )


class RouteObjectives(BaseModel):
    """``[objectives.all]`` and ``[objectives.routes.<name>]``: an objective for each key given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    availability: Target | None = Field(
        default=None, description="the caller gets a valid answer, of whatever rung"
    )
    in_time: Target | None = Field(
        default=None, description="within the latency budget of the route's SLO class"
    )
    latency: LatencyTarget | None = Field(default=None, description="within a threshold of its own")
    answered: Target | None = Field(default=None, description="by another rung than the floor")
    grounded: Target | None = Field(
        default=None,
        description="of the sampled answers that could be measured, those not found ungrounded, "
        "which is a proxy for hallucination",
    )
    cost: CostTarget | None = Field(default=None, description="within an amount")

    def of(self, kind: str) -> Target | None:
        """Return the objective of a kind, ``None`` if there is no word on it."""
        found: Target | None = getattr(self, kind)
        return found


_THREE_NINES = Target(target_percent=99.9)


class ObjectivesSettings(BaseModel):
    """``[objectives]``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    period_days: float = Field(
        default=30,
        ge=1 / 24,
        le=90,
        description="over which an error budget is given; the windows of the alerts follow from it",
    )
    sample_s: float = Field(
        default=15,
        ge=0.2,
        le=60,
        description="time between two looks at the rules here; how often Prometheus scrapes, if "
        "it does",
    )
    all: RouteObjectives = Field(
        default=RouteObjectives(availability=_THREE_NINES, in_time=_THREE_NINES),
        description="of each route; what a route's own table says goes before",
    )
    routes: dict[str, RouteObjectives] = Field(
        default_factory=dict, description="of single routes, by name"
    )

    @property
    def period_s(self) -> float:
        """The period, seconds."""
        return self.period_days * DAY_S


def objectives_of(settings: ObjectivesSettings, routes: Collection[str]) -> Iterator[Objective]:
    """Yield the objectives of ``routes``."""
    nothing = RouteObjectives()
    for route in sorted(routes):
        own = settings.routes.get(route, nothing)
        for kind in KINDS:
            found = own.of(kind) or settings.all.of(kind)
            if found is None or not found.enabled:
                continue
            yield Objective(
                route,
                kind,
                found.target_percent / 100,
                found.threshold_ms * 1_000 if isinstance(found, LatencyTarget) else 0,
                found.most_usd if isinstance(found, CostTarget) else 0.0,
            )
