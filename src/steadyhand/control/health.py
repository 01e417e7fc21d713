"""Liveness and readiness of the control plane.

Live means that the process answers at all. Ready means that what it needs is there; each check
says so with a reason. Gateways do not depend on either: they go on answering.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from steadyhand import __version__

Probe = Callable[[], Awaitable[str]]
"""Returns why something is not ready, or an empty string if it is."""

PROBE_TIMEOUT_S = 2.0


class Liveness(BaseModel):
    """The process answers."""

    status: Literal["live"]
    version: str


class Check(BaseModel):
    """One thing that readiness asks for."""

    name: str
    is_ready: bool
    reason: str = Field(description="why it is not ready; empty if it is")


class Readiness(BaseModel):
    """All checks; ready only if each is."""

    status: Literal["ready", "not_ready"]
    checks: list[Check]


async def check(name: str, probe: Probe, timeout_s: float = PROBE_TIMEOUT_S) -> Check:
    """Run one probe; one that raises or takes longer than ``timeout_s`` is not ready."""
    try:
        async with asyncio.timeout(timeout_s):
            reason = await probe()
    except TimeoutError:
        reason = f"no answer within {timeout_s:g} s"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the reason
        reason = str(error) or type(error).__name__
    return Check(name=name, is_ready=reason == "", reason=reason)


def router(probes: Mapping[str, Probe], metrics: Callable[[], bytes]) -> APIRouter:
    """Make the router of ``/healthz``, ``/readyz`` and ``/metrics``; none asks for a token."""
    routes = APIRouter(tags=["health"])

    @routes.get("/healthz", summary="Liveness", operation_id="healthz")
    async def healthz() -> Liveness:
        return Liveness(status="live", version=__version__)

    @routes.get(
        "/readyz",
        summary="Readiness, check by check",
        operation_id="readyz",
        responses={503: {"model": Readiness, "description": "something is not ready"}},
    )
    async def readyz(response: Response) -> Readiness:
        checks = await asyncio.gather(*(check(name, probe) for name, probe in probes.items()))
        ready = all(one.is_ready for one in checks)
        response.status_code = 200 if ready else 503
        return Readiness(status="ready" if ready else "not_ready", checks=list(checks))

    @routes.get(
        "/metrics",
        summary="Metrics of every process, as Prometheus text",
        operation_id="metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {}}}},
    )
    def metrics_text() -> Response:
        return Response(metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return routes
