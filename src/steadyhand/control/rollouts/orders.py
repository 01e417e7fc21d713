"""REST of rollouts and incidents: look, begin, pause, resume, abort, force."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from steadyhand.control.rollouts.views import (
    ID,
    CertificateView,
    ForceRequest,
    IncidentList,
    IncidentView,
    LookList,
    OrderRequest,
    RolloutList,
    RolloutView,
    StartRequest,
    incident_view,
    look_list,
    rollout_view,
)
from steadyhand.core.errors import NotFound
from steadyhand.rollouts.certificate import decode
from steadyhand.rollouts.service import RolloutService
from steadyhand.rollouts.store import RolloutStore
from steadyhand.tenancy.principals import Principal

RolloutId = Annotated[str, Path(pattern=f"^{ID}$")]


class CertificateMissing(NotFound):
    """The rollout was not taken back, or its certificate is not in the registry."""

    code = "certificate_missing"


@dataclass(frozen=True, slots=True)
class RolloutPorts:
    """What the router needs.

    Attributes:
        store: Of rollouts.
        service: Takes orders.
        noted: Returns the certificate beside a commit; empty for none.
    """

    store: RolloutStore
    service: RolloutService
    noted: Callable[[str], str]


def add(api: APIRouter, ports: RolloutPorts, login: Any) -> None:
    """Add rollouts and incidents to ``api``; ``login`` is the dependency that tells who asks."""
    _show(api, ports)
    _incidents(api, ports)
    _order(api, ports, login)


def _show(api: APIRouter, ports: RolloutPorts) -> None:
    @api.get("/rollouts", tags=["rollouts"], summary="List rollouts", operation_id="list_rollouts")
    def list_rollouts(
        *,
        is_open: Annotated[bool, Query(alias="open", description="only those not over")] = False,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> RolloutList:
        found = ports.store.list(is_open=is_open, limit=limit)
        return RolloutList(items=[rollout_view(one) for one in found])

    @api.get("/rollouts/{id}", tags=["rollouts"], summary="Show a rollout", operation_id="rollout")
    def show_rollout(id: RolloutId) -> RolloutView:
        rollout = ports.store.get(id).rollout
        return rollout_view(rollout, ports.store.last_look(rollout.id)[1])

    @api.get(
        "/rollouts/{id}/looks",
        tags=["rollouts"],
        summary="Show the path of the evidence",
        operation_id="rollout_looks",
    )
    def show_looks(id: RolloutId) -> LookList:
        rollout = ports.store.get(id).rollout
        return look_list(rollout, ports.store.looks(rollout.id))

    @api.get(
        "/rollouts/{id}/certificate",
        tags=["rollouts"],
        summary="Show why a release was taken back",
        operation_id="certificate",
    )
    def show_certificate(id: RolloutId) -> CertificateView:
        rollout = ports.store.get(id).rollout
        text = ports.noted(rollout.work.commit) if rollout.work.commit else ""
        if not text:
            raise CertificateMissing(
                f"rollout {rollout.id} has no certificate", hint="only roll-backs have one"
            )
        _, sealed = decode(text)
        return CertificateView(certificate=sealed.certificate, signature=sealed.signature)


def _incidents(api: APIRouter, ports: RolloutPorts) -> None:
    @api.get(
        "/incidents", tags=["rollouts"], summary="List incidents", operation_id="list_incidents"
    )
    def list_incidents() -> IncidentList:
        return IncidentList(items=[incident_view(one) for one in ports.store.incidents()])

    @api.get(
        "/incidents/{id}", tags=["rollouts"], summary="Show an incident", operation_id="incident"
    )
    def show_incident(
        id: Annotated[str, Path(pattern="^[0-9a-z_-]{4,60}$")],
    ) -> IncidentView:
        found = ports.store.incidents(id)
        if not found:
            raise NotFound(f"there is no incident {id!r}", hint="steadyhand incident list")
        return incident_view(found[0])


def _order(api: APIRouter, ports: RolloutPorts, login: Any) -> None:
    by = Annotated[Principal, login]
    service = ports.service

    @api.post(
        "/rollouts", tags=["rollouts"], summary="Begin a rollout", operation_id="start_rollout"
    )
    def start(wanted: StartRequest, principal: by) -> RolloutView:
        return rollout_view(
            service.start(
                wanted.route,
                wanted.digest,
                wanted.environment,
                principal.name,
                wanted.note,
                hot=wanted.hot,
            )
        )

    @api.post(
        "/rollouts/{id}/pause", tags=["rollouts"], summary="Pause", operation_id="pause_rollout"
    )
    def pause(id: RolloutId, wanted: OrderRequest, principal: by) -> RolloutView:
        return rollout_view(service.pause(id, principal.name, wanted.note))

    @api.post(
        "/rollouts/{id}/resume", tags=["rollouts"], summary="Resume", operation_id="resume_rollout"
    )
    def resume(id: RolloutId, wanted: OrderRequest, principal: by) -> RolloutView:
        return rollout_view(service.resume(id, principal.name, wanted.note))

    @api.post(
        "/rollouts/{id}/abort", tags=["rollouts"], summary="Abort", operation_id="abort_rollout"
    )
    def abort(id: RolloutId, wanted: OrderRequest, principal: by) -> RolloutView:
        return rollout_view(service.abort(id, principal.name, wanted.note))

    @api.post(
        "/rollouts/{id}/force", tags=["rollouts"], summary="Force", operation_id="force_rollout"
    )
    def force(id: RolloutId, wanted: ForceRequest, principal: by) -> RolloutView:
        return rollout_view(service.force(id, wanted.decision, principal.name, wanted.note))
