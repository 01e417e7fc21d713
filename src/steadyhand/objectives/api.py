"""REST of the objectives: what is promised, and whether it is kept."""

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from steadyhand.objectives.book import Book, Standing
from steadyhand.objectives.evaluation import Alert


class BurnView(BaseModel):
    """How fast the budget burnt over one window."""

    window_s: int
    rate: float | None = Field(
        description="share of bad events over the share that may be; 1 spends the budget just in "
        "its period; null if nothing was counted"
    )


class AlertView(BaseModel):
    """A rule that holds."""

    name: str
    severity: Literal["page", "ticket"]
    state: Literal["pending", "firing"]
    since_us: int = Field(description="microseconds since 1970")
    summary: str
    runbook: str


class ObjectiveView(BaseModel):
    """One objective of one route, over its period."""

    route: str
    objective: str
    target_ratio: float
    threshold_ms: float | None = Field(description="of `latency`, else null")
    most_usd: float | None = Field(description="of `cost`, else null")
    period_s: float
    events: int
    bad: int
    budget_left_ratio: float | None = Field(
        description="below 0 if more was spent than there is; null if nothing was counted"
    )
    state: Literal["ok", "burning", "exhausted", "no_data"]
    burn: list[BurnView] = Field(description="shortest window first")
    alerts: list[AlertView]


class ObjectiveList(BaseModel):
    """Objectives, by route."""

    items: list[ObjectiveView]


def router(book: Book, clock: Callable[[], float]) -> APIRouter:
    """Make the router; ``clock`` is the wall clock, seconds since 1970."""
    routes = APIRouter(prefix="/objectives", tags=["objectives"])

    @routes.get("", summary="List objectives", operation_id="list_objectives")
    def list_objectives(
        route: Annotated[str | None, Query(description="only this route's")] = None,
    ) -> ObjectiveList:
        found = [one for one in book.standings(clock()) if route in {None, one.objective.route}]
        return ObjectiveList(items=[view_of(one, book.terms.period_s) for one in found])

    return routes


def state_of(standing: Standing) -> Literal["ok", "burning", "exhausted", "no_data"]:
    """Return how an objective is, in one word."""
    if standing.left_ratio is None:
        return "no_data"
    if standing.left_ratio <= 0:
        return "exhausted"
    return "burning" if standing.alerts else "ok"


def view_of(standing: Standing, period_s: float) -> ObjectiveView:
    """Return how an objective stands as it is shown."""
    objective = standing.objective
    return ObjectiveView(
        route=objective.route,
        objective=objective.kind,
        target_ratio=objective.target_ratio,
        threshold_ms=objective.threshold_us / 1_000 or None,
        most_usd=objective.most_usd or None,
        period_s=period_s,
        events=round(standing.counted.events),
        bad=round(standing.counted.bad),
        budget_left_ratio=standing.left_ratio,
        state=state_of(standing),
        burn=[BurnView(window_s=window, rate=rate) for window, rate in standing.burn.items()],
        alerts=[_alert(alert) for alert in standing.alerts],
    )


def _alert(alert: Alert) -> AlertView:
    return AlertView(
        name=alert.name,
        severity="page" if alert.severity == "page" else "ticket",
        state=alert.state,
        since_us=round(alert.since_s * 1e6),
        summary=alert.summary,
        runbook=alert.runbook,
    )
