"""REST of the drills: what proves each rung, and drills on demand."""

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from steadyhand.core.errors import NotFound, SteadyhandError
from steadyhand.routing.drill_orders import Order, Outcome, Report
from steadyhand.routing.drilling import NOT_PROVEN, RungId, Verdict
from steadyhand.routing.proofs import FLOORS, Row

NAME = "[0-9a-f]{16}"


class TooManyDrills(SteadyhandError):
    """So many orders for drills wait already that one more is not taken."""

    code, status, retryable = "too_many_drills", 503, True


@dataclass(frozen=True, slots=True)
class DrillPorts:
    """What the router needs.

    Attributes:
        rows: Returns what the gateways know of each rung.
        routes: Returns the names of the routes in force.
        place: Puts an order where a gateway finds it; returns whether there was room.
        report: Returns what came of an order; ``None`` if no gateway has begun with it.
    """

    rows: Callable[[], Mapping[RungId, Row]]
    routes: Callable[[], Collection[str]]
    place: Callable[[Order], bool]
    report: Callable[[str], Report | None]


class RungView(BaseModel):
    """One candidate of one rung of one route; the floor has the last number."""

    route: str
    rung: int = Field(description="number of the rung in its route, from 0")
    kind: str
    provider: str = Field(description="empty for rungs that call nobody")
    model: str
    region: str


class ProofView(RungView):
    """What is known of a rung; times in microseconds since 1970."""

    verdict: Verdict = Field(description="whether it counts as proven, and why")
    is_planned_around: bool = Field(description="whether requests go elsewhere for want of a proof")
    proven_us: int | None = Field(description="when it last answered as it should; null for never")
    proven_by: str = Field(description="`traffic`, `drill` or empty")
    failures: int = Field(description="drills that failed in a row since then")
    reason: str = Field(description="why the last drill proved nothing; empty if it did")
    due_us: int | None = Field(description="when its next drill is due; null if it is not drilled")


class ProofList(BaseModel):
    """Every rung of every route, in order."""

    items: list[ProofView]


class RunRequest(BaseModel):
    """What to drill now; every rung if no route is named."""

    model_config = ConfigDict(extra="forbid")

    route: str = Field(default="", description="only this route's rungs")


class OutcomeView(RungView):
    """How one drill ended."""

    is_proven: bool | None = Field(description="null if the drill says nothing of the rung")
    reason: str = Field(description="`ok`, or why it did not answer as it should")
    took_ms: float


class RunView(BaseModel):
    """An order for drills, and what has come of it so far."""

    id: str
    has_begun: bool = Field(description="whether a gateway has taken it up")
    is_done: bool
    total: int = Field(description="rungs to drill; 0 until it has begun")
    items: list[OutcomeView] = Field(description="drills that have ended, in order")


def router(ports: DrillPorts) -> APIRouter:
    """Make the drills' router."""
    drills = APIRouter(prefix="/drills", tags=["drills"])

    @drills.get("", summary="List what proves each rung", operation_id="list_drills")
    def list_drills() -> ProofList:
        rows = ports.rows()
        return ProofList(items=[_proof(rows[rung]) for rung in sorted(rows)])

    @drills.post("/runs", summary="Drill rungs now", operation_id="run_drills")
    def run_drills(wanted: RunRequest) -> RunView:
        if wanted.route and wanted.route not in ports.routes():
            raise NotFound(f"no route {wanted.route!r}", hint="GET /api/v1/routes lists them")
        order = Order(secrets.token_hex(8), wanted.route)
        if not ports.place(order):
            raise TooManyDrills("too many orders for drills wait", hint="try again in a minute")
        return _run(order.name, None)

    @drills.get("/runs/{name}", summary="Show drills that were ordered", operation_id="show_drills")
    def show_drills(name: Annotated[str, Path(pattern=f"^{NAME}$")]) -> RunView:
        return _run(name, ports.report(name))

    return drills


def _proof(row: Row) -> ProofView:
    return ProofView(
        **row.rung._asdict(),
        verdict=row.verdict,
        is_planned_around=row.verdict in NOT_PROVEN and row.rung.kind not in FLOORS,
        proven_us=row.proven_us or None,
        proven_by=row.by,
        failures=row.failures,
        reason=row.reason,
        due_us=row.due_us or None,
    )


def _run(name: str, report: Report | None) -> RunView:
    ended = report.outcomes if report is not None else ()
    return RunView(
        id=name,
        has_begun=report is not None,
        is_done=report is not None and len(ended) == report.total,
        total=report.total if report is not None else 0,
        items=[_outcome(each) for each in ended],
    )


def _outcome(ended: Outcome) -> OutcomeView:
    return OutcomeView(
        **ended.rung._asdict(),
        is_proven=ended.is_proven,
        reason=ended.reason,
        took_ms=ended.took_ms,
    )
