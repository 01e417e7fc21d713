"""REST of the planner: what a route would do now, and how a request was decided.

It lives here because it joins routes, records and what the gateways say of themselves.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query

from steadyhand.control.plan_views import (
    ReplayView,
    RoutePlanView,
    named,
    plan_view,
    replay_view,
)
from steadyhand.core.errors import NotFound
from steadyhand.core.plugins import load
from steadyhand.records.explanation import PassedOver
from steadyhand.records.record import Record
from steadyhand.routing.model import Route, SloClass
from steadyhand.routing.planning.decision import DecisionUnreadable, decode_decision
from steadyhand.routing.planning.outlook import outlook
from steadyhand.routing.planning.progress import progress_of
from steadyhand.routing.planning.reasons import meaning
from steadyhand.routing.planning.replay import name_of, passed_over
from steadyhand.routing.planning.situation import Cost, Situation
from steadyhand.routing.planning.whatif import changed
from steadyhand.telemetry.status import Status

RUNGS = "steadyhand.routing.rungs"
UNTOLD = frozenset({"not_reached", "spare"})
"""Reasons for which a rung was not asked that tell nothing in a story."""

Changes = Annotated[
    list[str],
    Query(alias="set", description="change an input first: `candidates.0.health=open`"),
]


@dataclass(frozen=True, slots=True)
class DecisionPorts:
    """What the routers need.

    Attributes:
        routes: Returns the routes in force, by name; raises if nothing has been published.
        slo_classes: Returns the SLO classes in force, by name; likewise.
        statuses: Returns what each gateway process says of itself, by its number.
        record: Returns the record of a request, or ``None``; may block.
        clock: Wall clock, seconds since 1970.
    """

    routes: Callable[[], Mapping[str, Route]]
    slo_classes: Callable[[], Mapping[str, SloClass]]
    statuses: Callable[[], Mapping[int, Status]]
    record: Callable[[str], Record | None]
    clock: Callable[[], float]


def story_of(record: Record) -> Sequence[PassedOver]:
    """Return the rungs that ``record`` says were planned around; none if it cannot be read."""
    if not record.decision:
        return ()
    try:
        decision = decode_decision(record.decision)
    except DecisionUnreadable:
        return ()
    progress = progress_of(decision.situation, decision.events)
    candidates = decision.lineup.candidates
    return [
        PassedOver(name_of(candidates[place]), meaning(reason))
        for place, reason in passed_over(decision.events, progress)
        if reason not in UNTOLD
    ]


def situation_now(
    route: Route,
    slo: SloClass,
    status: Status | None,
    *,
    stream: bool = False,
    deadline_ms: int | None = None,
) -> Situation:
    """Return what a request to ``route`` would find now, as one gateway's ``status`` tells."""
    budget_ms = slo.first_content_ms if stream else slo.whole_ms
    if deadline_ms is not None:
        budget_ms = min(budget_ms or deadline_ms, deadline_ms)
    return outlook(
        route,
        status,
        {entry.kind: _prior(entry.kind) for entry in route.rungs},
        budget_us=budget_ms * 1000,
        cap_us=slo.stream_cap_ms * 1000,
        stream=stream,
    )


def router(ports: DecisionPorts) -> APIRouter:
    """Make the planner's router."""
    routes = APIRouter()

    @routes.get(
        "/routes/{name}/plan", tags=["routes"], summary="Plan a request", operation_id="plan_route"
    )
    def plan_route(
        name: str,
        change: Changes = [],  # noqa: B006 - FastAPI copies it
        stream: Annotated[bool, Query(description="plan a stream")] = False,  # noqa: FBT002
        deadline_ms: Annotated[
            int | None,
            Query(ge=1, description="as the caller would ask; never more than the route"),
        ] = None,
        process: Annotated[int | None, Query(ge=0, description="whose view; default: any")] = None,
    ) -> RoutePlanView:
        route = _named(ports.routes(), name)
        slo = ports.slo_classes()[route.slo]
        status = _status(ports.statuses(), process)
        situation = situation_now(route, slo, status, stream=stream, deadline_ms=deadline_ms)
        for one in change:
            situation = changed(situation, one)
        return RoutePlanView(
            **plan_view(situation).model_dump(),
            route=name,
            process=None if status is None else status.process,
            age_s=None if status is None else max(0.0, ports.clock() - status.made_us / 1e6),
            is_prior=not any(c.is_live and c.cost.samples for c in situation.candidates),
            inputs=named(situation),
        )

    @routes.get(
        "/requests/{request_id}/replay",
        tags=["requests"],
        summary="Replay a request's decision",
        operation_id="replay_request",
    )
    def replay_request(request_id: str, change: Changes = []) -> ReplayView:  # noqa: B006
        record = ports.record(request_id)
        if record is None:
            raise NotFound(
                f"no request {request_id!r}",
                hint="it may not have been shipped yet, which takes seconds; or it has expired",
            )
        if not record.decision:
            raise NotFound(
                f"request {request_id!r} has no decision: no ladder was climbed",
                hint=f"see 'steadyhand requests explain {request_id}'",
            )
        return replay_view(record, decode_decision(record.decision), change)

    return routes


def _named(routes: Mapping[str, Route], name: str) -> Route:
    if name not in routes:
        raise NotFound(f"no route {name!r}", hint=f"routes: {', '.join(sorted(routes))}")
    return routes[name]


def _status(statuses: Mapping[int, Status], process: int | None) -> Status | None:
    if process is None:
        return statuses[min(statuses)] if statuses else None
    if process not in statuses:
        known = ", ".join(map(str, sorted(statuses))) or "none"
        raise NotFound(
            f"gateway process {process} says nothing", hint=f"processes that do: {known}"
        )
    return statuses[process]


def _prior(kind: str) -> Cost:
    prior = getattr(load(RUNGS, kind), "PRIOR", None)
    return prior if isinstance(prior, Cost) else Cost()
