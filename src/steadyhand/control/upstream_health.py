"""How a deployment is, as the gateway processes see it: each for itself, and all in one line. Pure.

Every process learns by itself, so they may disagree. The line of all is careful: the worst state,
the mean share, and latencies of the process that has seen most. Without a word of any process it
is ``None``: unknown, not healthy.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, Field

from steadyhand.telemetry.status import CostStatus, DeploymentStatus, Status

WORST_FIRST = ("open", "half_open", "closed")


class LatencyView(BaseModel):
    """Learned quantiles, milliseconds."""

    p50_ms: float
    p90_ms: float
    p99_ms: float
    samples: int = Field(description="that they were learned from")


class HealthView(BaseModel):
    """How a deployment is: `closed` and share 1 is well."""

    state: str = Field(description="of its circuit breaker: `closed`, `open` or `half_open`")
    share: float = Field(description="part of the requests that it is given, 0 to 1")
    reason: str = Field(description="why state or share last changed; empty if they never did")
    since_us: int | None = Field(description="when that was, microseconds since 1970")
    probe_at_us: int | None = Field(description="when an open breaker lets the next probe through")
    in_flight: int = Field(description="requests that it is answering")
    drift: float | None = Field(
        description="latency now over that of its reference window; null while unknown"
    )
    first_content: LatencyView | None = Field(description="of a stream; null until learned")
    whole: LatencyView | None = Field(description="of a whole answer; null until learned")
    openings: dict[str, int] = Field(description="of its breaker since the start, by reason")
    kept_away: dict[str, int] = Field(description="requests not given to it, by reason")


class ProcessHealthView(HealthView):
    """The same as one gateway process sees it."""

    process: int


class MergedHealthView(HealthView):
    """The same for all processes: the worst state, the mean share, latencies of the busiest."""

    processes: list[ProcessHealthView] = Field(description="each for itself")


def merged(
    statuses: Mapping[int, Status], provider: str, model: str, region: str
) -> MergedHealthView | None:
    """Return how a deployment is, or ``None`` if no process has said anything of it."""
    said = [
        (process, each)
        for process, status in sorted(statuses.items())
        for each in status.deployments
        if (each.provider, each.model, each.region) == (provider, model, region)
    ]
    if not said:
        return None
    parts = [part for _, part in said]
    latest = max(parts, key=lambda part: part.changed_us)
    drifts = [part.drift for part in parts if part.drift]
    return MergedHealthView(
        state=_worst([part.state for part in parts]),
        share=sum(part.share for part in parts) / len(parts),
        reason=latest.reason,
        since_us=latest.changed_us or None,
        probe_at_us=min((part.probe_at_us for part in parts if part.probe_at_us), default=None),
        in_flight=sum(part.in_flight for part in parts),
        drift=max(drifts, default=None),
        first_content=_latency([part.stream for part in parts]),
        whole=_latency([part.whole for part in parts]),
        openings=_sum([part.openings for part in parts]),
        kept_away=_sum([part.refused for part in parts]),
        processes=[_own(process, part) for process, part in said],
    )


def _own(process: int, said: DeploymentStatus) -> ProcessHealthView:
    return ProcessHealthView(
        process=process,
        state=said.state,
        share=said.share,
        reason=said.reason,
        since_us=said.changed_us or None,
        probe_at_us=said.probe_at_us or None,
        in_flight=said.in_flight,
        drift=said.drift or None,
        first_content=_latency([said.stream]),
        whole=_latency([said.whole]),
        openings=said.openings,
        kept_away=said.refused,
    )


def _worst(states: Sequence[str]) -> str:
    return next((state for state in WORST_FIRST if state in states), states[0])


def _latency(costs: Sequence[CostStatus]) -> LatencyView | None:
    best = max(costs, key=lambda cost: cost.samples)
    if not best.samples:
        return None
    return LatencyView(
        p50_ms=best.p50_us / 1000,
        p90_ms=best.p90_us / 1000,
        p99_ms=best.p99_us / 1000,
        samples=best.samples,
    )


def _sum(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(sorted(total.items()))
