"""REST of alerts: what fires, what webhooks were told, and what an Alertmanager says."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from steadyhand.alerting.hints import MOST_BYTES, Hints
from steadyhand.alerting.model import Alert
from steadyhand.alerting.notifier import Notifier
from steadyhand.alerting.store import AlertStore, Delivery
from steadyhand.core.errors import InvalidRequest, NotFound


@dataclass(frozen=True, slots=True)
class AlertPorts:
    """What the router needs.

    Attributes:
        notifier: Tells webhooks.
        store: Of what they were told.
        hints: Takes what an Alertmanager says.
    """

    notifier: Notifier
    store: AlertStore
    hints: Hints


class BodyTooLong(InvalidRequest):
    """The body is longer than a webhook of an Alertmanager may be."""

    code, status = "body_too_long", 413


class FiringView(BaseModel):
    """An alert that fires by the rules that are evaluated here."""

    name: str
    severity: str
    labels: dict[str, str]
    summary: str
    runbook: str
    since_us: int = Field(description="microseconds since 1970")


class HintView(BaseModel):
    """What an Alertmanager said of an alert, and what came of it."""

    name: str
    route: str = Field(description="that it is about; empty for none")
    status: str = Field(description="`firing` or `resolved`")
    outcome: str = Field(
        description="`looked`: the rollout of the route was looked at by its own evidence; "
        "`no_rollout`, `no_route`; `known`: told before; `over`"
    )
    heard_us: int


class AlertList(BaseModel):
    """What fires, and what was heard."""

    firing: list[FiringView]
    hints: list[HintView] = Field(description="newest first, of the last seven days")


class DeliveryView(BaseModel):
    """A message to a webhook."""

    id: str = Field(description="the header `webhook-id`; the same however often it is sent")
    webhook: str
    state: str = Field(description="`waiting`, `delivered`, `dropped` or `given_up`")
    attempts: int
    problem: str = Field(description="why the last try failed; empty if it did not")
    made_us: int
    next_us: int | None = Field(description="when it is sent next; null if it is not")
    began: list[str] = Field(description="names of the alerts that it tells of")
    ended: list[str] = Field(description="names of the alerts that it tells the end of")
    is_test: bool


class DeliveryList(BaseModel):
    """Messages, newest first."""

    items: list[DeliveryView]


class TestRequest(BaseModel):
    """A message to try a webhook with."""

    __test__ = False  # no test of pytest's

    model_config = ConfigDict(extra="forbid")

    webhook: str = Field(min_length=1, max_length=100)


class VerifiedView(BaseModel):
    """What came of one alert of a hint."""

    name: str
    route: str
    outcome: str
    verdict: str = Field(description="what the rollout's own evidence says; empty without one")


class VerifiedList(BaseModel):
    """What came of a hint."""

    items: list[VerifiedView]


def router(ports: AlertPorts) -> APIRouter:
    """Make the router."""
    routes = APIRouter(prefix="/alerts", tags=["alerts"])
    _show(routes, ports)

    @routes.post("/test", summary="Send a test message", operation_id="test_webhook")
    def test_webhook(wanted: TestRequest) -> DeliveryView:
        return _one(ports, ports.notifier.test(wanted.webhook))

    @routes.post(
        "/alertmanager",
        summary="Take a hint of an Alertmanager",
        operation_id="hear_alertmanager",
        description="Version 4 of Alertmanager's webhook. The role `alert` suffices: nothing is "
        "done because of it but to look.",
    )
    async def hear_alertmanager(request: Request) -> VerifiedList:
        body = await _bounded(request)
        found = await asyncio.to_thread(ports.hints.hear, body)
        return VerifiedList(items=[VerifiedView(**one._asdict()) for one in found])

    return routes


def _show(routes: APIRouter, ports: AlertPorts) -> None:
    @routes.get("", summary="List alerts", operation_id="list_alerts")
    def list_alerts(limit: Annotated[int, Query(ge=1, le=500)] = 100) -> AlertList:
        hints = [
            HintView(
                name=one.name,
                route=one.route,
                status=one.status,
                outcome=one.outcome,
                heard_us=round(one.heard_s * 1e6),
            )
            for one in ports.store.hints(limit=limit)
        ]
        return AlertList(firing=[_firing(one) for one in ports.notifier.firing], hints=hints)

    @routes.get("/deliveries", summary="List messages", operation_id="list_deliveries")
    def list_deliveries(limit: Annotated[int, Query(ge=1, le=500)] = 100) -> DeliveryList:
        return DeliveryList(items=[_view(one) for one in ports.store.deliveries(limit=limit)])

    @routes.get("/deliveries/{id}", summary="Show a message", operation_id="show_delivery")
    def show_delivery(id: Annotated[str, Path(pattern="^msg_[0-9a-f]{24}$")]) -> DeliveryView:
        return _one(ports, id)


async def _bounded(request: Request) -> bytes:
    parts, length = [], 0
    async for part in request.stream():
        length += len(part)
        if length > MOST_BYTES:
            raise BodyTooLong(
                f"the body is longer than {MOST_BYTES} bytes",
                hint="set max_alerts in webhook_configs",
            )
        parts.append(part)
    return b"".join(parts)


def _one(ports: AlertPorts, id_: str) -> DeliveryView:
    found = ports.store.delivery(id_)
    if found is None:
        raise NotFound(f"there is no message {id_}", hint="they are kept for seven days")
    return _view(found)


def _firing(alert: Alert) -> FiringView:
    return FiringView(
        name=alert.name,
        severity=alert.severity,
        labels=dict(alert.labels),
        summary=alert.summary,
        runbook=alert.runbook,
        since_us=round(alert.since_s * 1e6),
    )


def _view(found: Delivery) -> DeliveryView:
    message = found.message
    return DeliveryView(
        id=message.id,
        webhook=found.webhook,
        state=found.state,
        attempts=found.attempts,
        problem=found.problem,
        made_us=round(message.made_s * 1e6),
        next_us=round(found.next_s * 1e6) if found.state == "waiting" else None,
        began=[alert.name for alert in message.began],
        ended=[alert.name for alert in message.ended],
        is_test=message.is_test,
    )
