"""REST of the routes in force: what clients may call, and what happens if providers fail."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fastapi import APIRouter
from pydantic import BaseModel, Field

from steadyhand.core.errors import NotFound
from steadyhand.prompts.model import Kind, Origin, Trust, Variable
from steadyhand.routing.model import Route, RungEntry, SloClass, deployments_of
from steadyhand.telemetry.status import RungStatus, Status


@dataclass(frozen=True, slots=True)
class RoutePorts:
    """What the router needs.

    Attributes:
        routes: Returns the routes in force, by name; raises if nothing has been published.
        slo_classes: Returns the SLO classes in force, by name; likewise.
        statuses: Returns process → what each gateway process said lately; may block.
    """

    routes: Callable[[], Mapping[str, Route]]
    slo_classes: Callable[[], Mapping[str, SloClass]]
    statuses: Callable[[], Mapping[int, Status]] = dict


class SloView(BaseModel):
    """A latency budget; milliseconds after the last byte of the request, 0 for none."""

    name: str
    first_content_ms: int = Field(description="first content of a stream")
    whole_ms: int = Field(description="whole answer that is not a stream")
    stream_cap_ms: int = Field(description="cap on a whole stream")


class RouteDeploymentView(BaseModel):
    """A model at a provider, as a rung calls it."""

    provider: str = Field(description="name in the workspace")
    model: str = Field(description="the provider's name of the model")
    region: str = Field(description="where it runs, or empty")
    weight: float = Field(description="its part of the requests, for the strategy `weighted`")


class RouteProofView(BaseModel):
    """When a rung, or one of its deployments, was last shown to answer."""

    provider: str = Field(description="of the deployment; empty for rungs that call nobody")
    model: str
    region: str
    proven_at_us: int | None = Field(description="microseconds since 1970; null for never")
    proven_by: str = Field(description="`drill`, `traffic` or empty")
    is_proven: bool = Field(
        description="whether every gateway process says so; what is not proven is planned around"
    )
    reason: str = Field(description="why the last drill failed; empty if it did not")


class RungView(BaseModel):
    """One rung of a route."""

    kind: str = Field(description="`live`, `cache`, `knowledge`, `template`, `schema`, `error` ...")
    provider: str = Field(description="of its first deployment; empty for rungs that call nobody")
    model: str = Field(description="model of its first deployment, or empty")
    deployments: list[RouteDeploymentView] = Field(description="all whom it may call")
    proofs: list[RouteProofView] = Field(
        description="when it was last shown to work; empty: unknown"
    )


class VariableView(BaseModel):
    """A variable of a route's prompts."""

    name: str
    type: Kind
    origin: Origin = Field(description="where its text comes from")
    trust: Trust = Field(description="whether its text may tell the model what to do")
    is_required: bool = Field(description="whether every request must give it")
    choices: list[str] = Field(description="the texts that are allowed; empty for all")
    fields: list[str] = Field(description="of each record; empty for other types")


class RouteView(BaseModel):
    """A route: what a client names in `model`."""

    name: str
    slo: SloView
    rungs: list[RungView] = Field(description="tried in this order")
    floor: RungView = Field(description="answers when no rung did; cannot fail")
    has_instructions: bool = Field(description="whether a prompt is put before the messages")
    variables: list[VariableView] = Field(
        description="what a request gives under `steadyhand.variables`"
    )


class RouteList(BaseModel):
    """Every route in force, by name."""

    items: list[RouteView]


def router(ports: RoutePorts) -> APIRouter:
    """Make the routes' router."""
    routes = APIRouter(prefix="/routes", tags=["routes"])

    def view(route: Route, statuses: Mapping[int, Status]) -> RouteView:
        slo = ports.slo_classes()[route.slo]
        proofs = proofs_of(statuses, route.name)
        return RouteView(
            name=route.name,
            slo=SloView(
                name=slo.name,
                first_content_ms=slo.first_content_ms,
                whole_ms=slo.whole_ms,
                stream_cap_ms=slo.stream_cap_ms,
            ),
            rungs=[_rung(entry, proofs.get(at, [])) for at, entry in enumerate(route.rungs)],
            floor=_rung(route.floor, proofs.get(len(route.rungs), [])),
            has_instructions=route.prompt is not None,
            variables=_variables(route),
        )

    @routes.get("", summary="List routes", operation_id="list_routes")
    def list_routes() -> RouteList:
        known, statuses = sorted(ports.routes().items()), ports.statuses()
        return RouteList(items=[view(route, statuses) for _, route in known])

    @routes.get("/{name}", summary="Show a route", operation_id="show_route")
    def show_route(name: str) -> RouteView:
        known = ports.routes()
        if name not in known:
            raise NotFound(f"no route {name!r}", hint=f"routes: {', '.join(sorted(known))}")
        return view(known[name], ports.statuses())

    return routes


def proofs_of(statuses: Mapping[int, Status], route: str) -> dict[int, list[RouteProofView]]:
    """Return position of the rung → proofs of its candidates, over all processes. Pure."""
    said: dict[tuple[int, str, str, str], list[RungStatus]] = {}
    for status in statuses.values():
        for rung in status.rungs:
            if rung.route == route:
                key = (rung.rung, rung.provider, rung.model, rung.region)
                said.setdefault(key, []).append(rung)
    found: dict[int, list[RouteProofView]] = {}
    for (position, provider, model, region), views in sorted(said.items()):
        latest = max(views, key=lambda view: view.proven_us)
        proof = RouteProofView(
            provider=provider,
            model=model,
            region=region,
            proven_at_us=latest.proven_us or None,
            proven_by=latest.proven_by,
            is_proven=all(view.is_proven for view in views),
            reason=next((view.reason for view in views if view.reason), ""),
        )
        found.setdefault(position, []).append(proof)
    return found


def _rung(entry: RungEntry, proofs: list[RouteProofView]) -> RungView:
    views = [
        RouteDeploymentView(
            provider=found.provider or "",
            model=found.model or "",
            region=found.region,
            weight=found.weight,
        )
        for found in deployments_of(entry)
    ]
    first = views[0] if views else None
    return RungView(
        kind=entry.kind,
        provider=first.provider if first else "",
        model=first.model if first else "",
        deployments=views,
        proofs=proofs,
    )


def _variables(route: Route) -> list[VariableView]:
    found: dict[str, Variable] = {}
    for prompt in filter(None, (route.prompt, *(rung.prompt for rung in route.rungs))):
        found |= prompt.variables
    return [
        VariableView(
            name=name,
            type=one.kind,
            origin=one.origin,
            trust=one.trust,
            is_required=one.is_required,
            choices=list(one.choices),
            fields=list(one.fields),
        )
        for name, one in sorted(found.items())
    ]
