"""The control plane's application: the slices' routers behind one guard and one login."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI
from pydantic import BaseModel, Field

from steadyhand import __version__
from steadyhand.caching import api as caching_api
from steadyhand.control import (
    alerts,
    breaking,
    decisions,
    deployment,
    distribution,
    drills,
    events,
    failures,
    grounding,
    health,
    overview,
    upstreams,
)
from steadyhand.control.auth import Door, authenticate
from steadyhand.control.bodies import BoundedBodies
from steadyhand.control.console import Console
from steadyhand.control.console import add as add_console
from steadyhand.control.guard import Guard
from steadyhand.control.login import add_codes
from steadyhand.control.login import router as login_router
from steadyhand.control.ports import ControlPorts
from steadyhand.control.prediction import Prediction, predicted
from steadyhand.control.registry import channels, releases
from steadyhand.control.rollouts import orders
from steadyhand.control.sessions import Sessions
from steadyhand.core.ids import RequestIds
from steadyhand.objectives import api as objectives_api
from steadyhand.records import api as records_api
from steadyhand.records.record import Record
from steadyhand.records.selection import RecordFilter
from steadyhand.routing import api as routing_api
from steadyhand.telemetry.ring import Ring
from steadyhand.tenancy.principals import Principal

PREFIX = "/api/v1"
DESCRIPTION = (
    "REST API of Steadyhand's control plane. Everything under `/api/v1` but this description asks "
    "for the bearer token; health and metrics do not."
)
REFUSALS: dict[int | str, dict[str, object]] = {
    status: {"model": failures.ProblemBody, "description": text}
    for status, text in {
        401: "no token, or not the one in force",
        403: "a page of another origin, or a role is missing",
        404: "no such path or object",
        421: "a host that is not served here",
        422: "a parameter is not valid",
        503: "the database does not answer, or nothing has been published",
    }.items()
}


class WhoAmI(BaseModel):
    """Who this request was made by."""

    name: str
    method: str = Field(description="how it was proved")
    roles: list[str] = Field(description="what they may do beside looking")


class GatewayView(BaseModel):
    """One gateway process."""

    process: int
    is_alive: bool
    snapshot_version: int = Field(description="that it serves from; 0 for none")
    in_flight: int = Field(description="requests under way")
    requests: int = Field(description="answered since it started")


class SnapshotView(BaseModel):
    """The snapshot in force, and who serves from it."""

    version: int
    digest: str
    compiled_at: datetime
    compiled_us: int
    age_s: float
    routes: int
    providers: int
    keys: int
    gateways: list[GatewayView]


def create_app(ports: ControlPorts) -> FastAPI:
    """Make the application; nothing is opened and nothing runs before it is served."""
    app = FastAPI(
        title="Steadyhand control plane",
        description=DESCRIPTION,
        version=__version__,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # both pages load their scripts from a public network
        redoc_url=None,
        redirect_slashes=False,
        # The library would report to whatever the environment names; metrics here are our own.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    sessions, files = Sessions(ports.clock), Console.read(ports.console)
    door = Door(ports.identified, ports.known, sessions)
    login = authenticate(door)
    api = APIRouter(prefix=PREFIX, dependencies=[Depends(login)], responses=REFUSALS)
    api.include_router(records_api.router(ports))
    api.include_router(routing_api.router(_route_ports(ports)))
    api.include_router(decisions.router(_decision_ports(ports)))
    api.include_router(upstreams.router(_upstream_ports(ports)))
    _watching(api, ports, login)
    _optional(api, ports, login, door)

    @api.get("/snapshot", tags=["snapshot"], summary="Show the snapshot", operation_id="snapshot")
    async def show_snapshot() -> SnapshotView:
        return _snapshot_view(ports)

    @api.get("/whoami", tags=["login"], summary="Who this token is", operation_id="whoami")
    async def whoami(principal: Annotated[Principal, Depends(login)]) -> WhoAmI:
        roles = sorted(principal.roles)
        return WhoAmI(name=principal.name, method=principal.method, roles=roles)

    app.include_router(health.router(_probes(ports), ports.metrics))
    add_codes(api, sessions, Depends(login))
    app.include_router(login_router(sessions, ports.known), prefix=PREFIX, responses=REFUSALS)
    app.include_router(api)
    add_console(app, files)
    failures.install(app)
    app.add_middleware(BoundedBodies, is_known=lambda token: ports.identified(token) is not None)
    app.add_middleware(
        Guard,
        allowed_hosts=ports.allowed_hosts,
        allowed_origins=ports.allowed_origins,
        new_id=RequestIds(secrets.randbits(40), ports.clock).next,
        build=files.build,
    )
    return app


def _optional(
    api: APIRouter, ports: ControlPorts, login: Callable[..., Principal], door: Door
) -> None:
    """Add what not every installation has."""
    if ports.cache is not None:
        api.include_router(caching_api.router(ports.cache))
    if ports.drills is not None:
        api.include_router(drills.router(ports.drills))
    if ports.registry is not None:
        of_registry = ports.registry(Depends(login))
        releases.add(api, of_registry)
        channels.add(api, of_registry)
    if ports.rollouts is not None:
        orders.add(api, ports.rollouts, Depends(login))
    if ports.breaking is not None:
        api.include_router(breaking.router(ports.breaking, partial(_predicted, ports)))
    if ports.events is not None:
        api.include_router(events.router(ports.events, Depends(login), door.is_open_to))
    if ports.distribution is not None:
        api.include_router(distribution.router(ports.distribution, Depends(login)))


def _watching(api: APIRouter, ports: ControlPorts, login: Callable[..., Principal]) -> None:
    """Add what tells whether promises are kept."""
    if ports.alerts is not None:
        api.include_router(alerts.router(ports.alerts))
    if ports.objectives is not None:
        api.include_router(objectives_api.router(ports.objectives, ports.clock))
    if ports.grounding is not None:
        api.include_router(grounding.router(ports.grounding, ports.clock, Depends(login)))
    if ports.ring is not None:
        api.include_router(overview.router(_overview_ports(ports, ports.ring)))


def _route_ports(ports: ControlPorts) -> routing_api.RoutePorts:
    return routing_api.RoutePorts(
        routes=lambda: deployment.published(ports.snapshot).routes,
        slo_classes=lambda: deployment.published(ports.snapshot).slo_classes,
        statuses=ports.statuses,
    )


def _decision_ports(ports: ControlPorts) -> decisions.DecisionPorts:
    def record(request_id: str) -> Record | None:
        found = ports.records.show(request_id)
        return None if found is None else found.record

    return decisions.DecisionPorts(
        routes=lambda: deployment.published(ports.snapshot).routes,
        slo_classes=lambda: deployment.published(ports.snapshot).slo_classes,
        statuses=ports.statuses,
        record=record,
        clock=ports.clock,
    )


def _upstream_ports(ports: ControlPorts) -> upstreams.UpstreamPorts:
    return upstreams.UpstreamPorts(
        upstreams=lambda: deployment.upstreams(deployment.published(ports.snapshot)),
        attempts=lambda window_s: deployment.recent_attempts(
            ports.records, round((ports.clock() - window_s) * 1e6)
        ),
        statuses=ports.statuses,
    )


def _predicted(ports: ControlPorts, provider: str) -> list[Prediction]:
    found, statuses = deployment.published(ports.snapshot), ports.statuses()
    status = statuses[min(statuses)] if statuses else None
    return [
        predicted(
            name,
            route.floor.kind,
            provider,
            decisions.situation_now(route, found.slo_classes[route.slo], status),
        )
        for name, route in sorted(found.routes.items())
    ]


def _overview_ports(ports: ControlPorts, ring: Ring) -> overview.OverviewPorts:
    return overview.OverviewPorts(
        ring=ring,
        routes=lambda: deployment.published(ports.snapshot).routes,
        slo_classes=lambda: deployment.published(ports.snapshot).slo_classes,
        upstreams=lambda: deployment.upstreams(deployment.published(ports.snapshot)),
        statuses=ports.statuses,
        book=ports.objectives,
        clock=ports.clock,
    )


def _probes(ports: ControlPorts) -> Mapping[str, health.Probe]:
    async def database() -> str:
        await asyncio.to_thread(ports.records.list, RecordFilter(), limit=1)
        return ""

    async def snapshot() -> str:
        return "" if ports.snapshot() else "no snapshot has been published yet"

    return {"database": database, "snapshot": snapshot, **ports.probes}


def _snapshot_view(ports: ControlPorts) -> SnapshotView:
    found = deployment.published(ports.snapshot)
    return SnapshotView(
        version=found.version,
        digest=found.digest,
        compiled_at=datetime.fromtimestamp(found.compiled_us / 1e6, tz=UTC),
        compiled_us=found.compiled_us,
        age_s=round(max(0.0, ports.clock() - found.compiled_us / 1e6), 3),
        routes=len(found.routes),
        providers=len(found.providers),
        keys=len(found.keys),
        gateways=[GatewayView(**asdict(gateway)) for gateway in ports.gateways()],
    )
