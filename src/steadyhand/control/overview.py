"""REST of the live page: is the promise being kept, now? Counts of the last minutes in one answer.

It lives here because it joins what ran, what is promised and what the gateways say of themselves.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from steadyhand.control.upstream_health import MergedHealthView, merged
from steadyhand.control.upstreams import Upstream
from steadyhand.objectives.api import ObjectiveView, view_of
from steadyhand.objectives.book import Book
from steadyhand.routing.model import Route, SloClass
from steadyhand.telemetry.ring import SPAN_S, Cell, Ring, quantile_us
from steadyhand.telemetry.status import Status

MOST_POINTS: Final = 120
STEPS_S: Final = (1, 2, 5, 10, 15, 30)
Z95: Final = 1.959964


@dataclass(frozen=True, slots=True)
class OverviewPorts:
    """What the router needs.

    Attributes:
        ring: What ran lately.
        routes: Returns the routes in force, by name; raises if nothing has been published.
        slo_classes: Returns the SLO classes in force, by name; likewise.
        upstreams: Returns the providers in force; likewise.
        statuses: Returns what each gateway process says of itself; may block.
        book: Counts objectives; ``None`` leaves them out.
        clock: Wall clock, seconds since 1970.
    """

    ring: Ring
    routes: Callable[[], Mapping[str, Route]]
    slo_classes: Callable[[], Mapping[str, SloClass]]
    upstreams: Callable[[], Sequence[Upstream]]
    statuses: Callable[[], Mapping[int, Status]]
    book: Book | None
    clock: Callable[[], float]


class LiveLatencyView(BaseModel):
    """Latency over the window, milliseconds, each within 2.5 %."""

    n: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


class LiveRouteView(BaseModel):
    """One route over the window."""

    route: str = Field(description="empty for all of them together")
    slo: str = Field(description="SLO class of the route; empty for all together")
    first_content_budget_ms: int | None = Field(description="of a stream; null for none")
    whole_budget_ms: int | None = Field(description="of a whole answer; null for none")
    requests: int
    measured: int = Field(description="requests that had a latency budget and were answered")
    in_time: int = Field(description="of them, those that kept it")
    in_time_ratio: float | None = Field(description="null if nothing was measured")
    in_time_low: float | None = Field(description="lower end of its 95 % interval (Wilson 1927)")
    in_time_high: float | None = Field(description="upper end")
    first_content: LiveLatencyView | None = Field(description="of streams; null if there were none")
    whole: LiveLatencyView | None = Field(description="of whole answers; null if there were none")
    rungs: dict[str, int] = Field(description="rung that spoke → requests; empty for none")
    outcomes: dict[str, int] = Field(description="how requests ended")


class PointView(BaseModel):
    """Requests that were over in one step of time; null where there were none."""

    at_us: int = Field(description="begin of the step, microseconds since 1970")
    requests: int
    in_time_ratio: float | None
    first_content_p50_ms: float | None
    first_content_p95_ms: float | None
    whole_p50_ms: float | None
    whole_p95_ms: float | None
    rungs: dict[str, int]


class LiveUpstreamView(BaseModel):
    """One deployment, as the gateways see it now."""

    provider: str
    kind: str
    model: str
    region: str
    health: MergedHealthView | None = Field(description="null if no gateway process knows")


class OverviewView(BaseModel):
    """Whether the promise is being kept."""

    at_us: int = Field(description="when this was made, microseconds since 1970")
    window_s: int
    step_s: int = Field(description="of the points")
    since_us: int = Field(description="from when on requests are known here; later than the window")
    newest_us: int | None = Field(description="end of the newest request known here; null for none")
    total: LiveRouteView
    routes: list[LiveRouteView] = Field(description="by name; those without requests as well")
    points: list[PointView] = Field(description="oldest first; of `route`, or of all")
    upstreams: list[LiveUpstreamView]
    objectives: list[ObjectiveView]


def router(ports: OverviewPorts) -> APIRouter:
    """Make the live page's router."""
    routes = APIRouter(tags=["overview"])

    @routes.get("/overview", summary="Show what happens now", operation_id="overview")
    def overview(
        window_s: Annotated[int, Query(ge=10, le=SPAN_S, description="to look back")] = 300,
        route: Annotated[str, Query(description="whose points; all together if empty")] = "",
    ) -> OverviewView:
        now_s = ports.clock()
        step_s = step_for(window_s)
        until_s = int(now_s) // step_s * step_s + step_s
        known, slos = ports.routes(), ports.slo_classes()
        total, by_route, by_step = Cell(), {name: Cell() for name in known}, dict[int, Cell]()
        for second, name, cell in ports.ring.between(until_s - window_s, until_s):
            total.merge(cell)
            by_route.setdefault(name, Cell()).merge(cell)
            if route in {"", name}:
                by_step.setdefault(second // step_s * step_s, Cell()).merge(cell)
        steps = range((until_s - window_s) // step_s * step_s, until_s, step_s)
        return OverviewView(
            at_us=round(now_s * 1e6),
            window_s=window_s,
            step_s=step_s,
            since_us=round(ports.ring.since_s * 1e6),
            newest_us=ports.ring.shipped_us or None,
            total=route_view("", total, None),
            routes=[
                route_view(name, cell, slos.get(known[name].slo) if name in known else None)
                for name, cell in sorted(by_route.items())
                if name
            ],
            points=[point_view(at, by_step.get(at, Cell())) for at in steps],
            upstreams=_upstreams(ports.upstreams(), ports.statuses()),
            objectives=_objectives(ports.book, now_s),
        )

    return routes


def step_for(window_s: int) -> int:
    """Return how long the steps of a window are, so that there are not too many."""
    return next((step for step in STEPS_S if window_s <= step * MOST_POINTS), STEPS_S[-1])


def wilson(good: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share; ``n`` is above 0.

    Source: Wilson (1927), JASA 22:209-212.
    """
    share, z2 = good / n, Z95 * Z95
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 * sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def route_view(name: str, cell: Cell, slo: SloClass | None) -> LiveRouteView:
    """Return what was counted of a route as it is shown."""
    ratio = low = high = None
    if cell.measured:
        ratio = cell.in_time / cell.measured
        low, high = wilson(cell.in_time, cell.measured)
    return LiveRouteView(
        route=name,
        slo="" if slo is None else slo.name,
        first_content_budget_ms=None if slo is None else slo.first_content_ms or None,
        whole_budget_ms=None if slo is None else slo.whole_ms or None,
        requests=cell.requests,
        measured=cell.measured,
        in_time=cell.in_time,
        in_time_ratio=ratio,
        in_time_low=low,
        in_time_high=high,
        first_content=_latency(cell, is_stream=True),
        whole=_latency(cell, is_stream=False),
        rungs=dict(sorted(cell.rungs.items())),
        outcomes=dict(sorted(cell.outcomes.items())),
    )


def point_view(at_s: int, cell: Cell) -> PointView:
    """Return one step as it is shown."""
    return PointView(
        at_us=at_s * 1_000_000,
        requests=cell.requests,
        in_time_ratio=cell.in_time / cell.measured if cell.measured else None,
        first_content_p50_ms=_ms(quantile_us(cell.first, 0.50)),
        first_content_p95_ms=_ms(quantile_us(cell.first, 0.95)),
        whole_p50_ms=_ms(quantile_us(cell.whole, 0.50)),
        whole_p95_ms=_ms(quantile_us(cell.whole, 0.95)),
        rungs=dict(sorted(cell.rungs.items())),
    )


def _latency(cell: Cell, *, is_stream: bool) -> LiveLatencyView | None:
    bins = cell.first if is_stream else cell.whole
    p50, p95, p99 = (_ms(quantile_us(bins, share)) for share in (0.50, 0.95, 0.99))
    if p50 is None or p95 is None or p99 is None:
        return None
    return LiveLatencyView(n=bins.total(), p50_ms=p50, p95_ms=p95, p99_ms=p99)


def _ms(took_us: float | None) -> float | None:
    return None if took_us is None else round(took_us / 1_000, 3)


def _upstreams(
    upstreams: Sequence[Upstream], statuses: Mapping[int, Status]
) -> list[LiveUpstreamView]:
    return [
        LiveUpstreamView(
            provider=upstream.name,
            kind=upstream.kind,
            model=model,
            region=region,
            health=merged(statuses, upstream.name, model, region),
        )
        for upstream in sorted(upstreams, key=lambda each: each.name)
        for model, region in upstream.deployments
    ]


def _objectives(book: Book | None, now_s: float) -> list[ObjectiveView]:
    if book is None:
        return []
    return [view_of(one, book.terms.period_s) for one in book.standings(now_s)]
