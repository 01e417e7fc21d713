"""REST of the upstreams: providers, their deployments, how they are and how attempts ended lately.

It lives here and not in ``providers``, whose folder holds plugins and nothing else.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from fastapi import APIRouter
from pydantic import BaseModel, Field

from steadyhand.control.upstream_health import MergedHealthView, merged
from steadyhand.core.errors import NotFound
from steadyhand.telemetry.status import Status

OK = "ok"
WINDOW_S = 300


@dataclass(frozen=True, slots=True)
class Upstream:
    """A configured provider.

    Attributes:
        name: In the workspace.
        kind: Names the plugin.
        deployments: Models that routes deploy there with their regions, each once.
    """

    name: str
    kind: str
    deployments: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Attempted:
    """How one attempt upstream ended.

    Attributes:
        provider: Name in the workspace.
        model: The deployment's model.
        region: Its region, or empty.
        reason: ``ok``, or why it failed.
        took_us: Microseconds from its start to its end.
        at_us: Wall clock at its end, microseconds since 1970.
    """

    provider: str
    model: str
    region: str
    reason: str
    took_us: int
    at_us: int


@dataclass(frozen=True, slots=True)
class Sample:
    """Attempts of a window.

    Attributes:
        attempts: In any order.
        is_whole: Whether these are all of them, or only the newest.
    """

    attempts: Sequence[Attempted]
    is_whole: bool


@dataclass(frozen=True, slots=True)
class UpstreamPorts:
    """What the router needs.

    Attributes:
        upstreams: Returns the providers in force; raises if nothing has been published.
        attempts: Returns how attempts ended in the last so many seconds; may block.
        statuses: Returns process → what it last said; only of those that did lately; may block.
    """

    upstreams: Callable[[], Sequence[Upstream]]
    attempts: Callable[[int], Sample]
    statuses: Callable[[], Mapping[int, Status]]


class DeploymentView(BaseModel):
    """One model at one provider: how it is, and how attempts ended over the window."""

    model: str
    region: str = Field(description="where it runs; empty for unknown")
    health: MergedHealthView | None = Field(description="null if no gateway process knows")
    succeeded: int
    failed: int
    failures: dict[str, int] = Field(description="failed attempts by reason")
    latency_p50_ms: float | None = Field(description="of attempts that succeeded; null if none did")
    latency_p95_ms: float | None = Field(description="of attempts that succeeded; null if none did")
    last_reason: str = Field(description="how the newest attempt ended; empty if there was none")
    last_at_us: int | None = Field(description="when, microseconds since 1970")


class UpstreamView(BaseModel):
    """A provider and its deployments."""

    name: str
    kind: str
    deployments: list[DeploymentView]
    window_s: int = Field(description="how far the counts look back, seconds")
    is_sample: bool = Field(description="whether only the newest attempts of the window count")


class UpstreamList(BaseModel):
    """Every configured provider, by name."""

    items: list[UpstreamView]
    window_s: int
    is_sample: bool


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest value that at least ``share`` of ``values`` do not exceed; pure.

    ``None`` if there are no values. The nearest-rank method: always a value that was seen.
    """
    if not values:
        return None
    return sorted(values)[max(0, ceil(share * len(values)) - 1)]


def summarise(
    model: str, region: str, health: MergedHealthView | None, attempts: Iterable[Attempted]
) -> DeploymentView:
    """Count how the attempts at one deployment ended. Pure."""
    ordered = sorted(attempts, key=lambda attempt: attempt.at_us)
    took_ms = [attempt.took_us / 1000 for attempt in ordered if attempt.reason == OK]
    failures = Counter(attempt.reason for attempt in ordered if attempt.reason != OK)
    return DeploymentView(
        model=model,
        region=region,
        health=health,
        succeeded=len(took_ms),
        failed=failures.total(),
        failures=dict(failures.most_common()),
        latency_p50_ms=percentile(took_ms, 0.50),
        latency_p95_ms=percentile(took_ms, 0.95),
        last_reason=ordered[-1].reason if ordered else "",
        last_at_us=ordered[-1].at_us if ordered else None,
    )


def router(ports: UpstreamPorts) -> APIRouter:
    """Make the upstreams' router."""
    routes = APIRouter(prefix="/upstreams", tags=["upstreams"])

    def view(upstream: Upstream, sample: Sample, statuses: Mapping[int, Status]) -> UpstreamView:
        known: dict[tuple[str, str], list[Attempted]] = {key: [] for key in upstream.deployments}
        for attempt in sample.attempts:
            if attempt.provider == upstream.name:
                known.setdefault((attempt.model, attempt.region), []).append(attempt)
        return UpstreamView(
            name=upstream.name,
            kind=upstream.kind,
            deployments=[
                summarise(model, region, merged(statuses, upstream.name, model, region), seen)
                for (model, region), seen in sorted(known.items())
            ],
            window_s=WINDOW_S,
            is_sample=not sample.is_whole,
        )

    @routes.get("", summary="List upstreams", operation_id="list_upstreams")
    def list_upstreams() -> UpstreamList:
        known = sorted(ports.upstreams(), key=lambda upstream: upstream.name)
        sample, statuses = ports.attempts(WINDOW_S), ports.statuses()
        return UpstreamList(
            items=[view(upstream, sample, statuses) for upstream in known],
            window_s=WINDOW_S,
            is_sample=not sample.is_whole,
        )

    @routes.get("/{name}", summary="Show an upstream", operation_id="show_upstream")
    def show_upstream(name: str) -> UpstreamView:
        known = {upstream.name: upstream for upstream in ports.upstreams()}
        if name not in known:
            raise NotFound(f"no provider {name!r}", hint=f"providers: {', '.join(sorted(known))}")
        return view(known[name], ports.attempts(WINDOW_S), ports.statuses())

    return routes
