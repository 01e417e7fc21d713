"""Snapshots for gateways on other machines: the part that theirs may have, signed."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Response

from steadyhand.core.errors import NotFound
from steadyhand.registry.writer import RoleMissing
from steadyhand.snapshot.compile import encode
from steadyhand.snapshot.model import Snapshot
from steadyhand.snapshot.view import view
from steadyhand.tenancy.principals import Principal

SIGNATURE = "x-steadyhand-signature"
VERSION = "x-steadyhand-snapshot-version"


@dataclass(frozen=True, slots=True)
class DistributionPorts:
    """What the router needs.

    Attributes:
        snapshot: Returns the snapshot in force, or ``None`` if nothing has been published.
        sign: Returns a signature of bytes, armored.
        answers: Returns a compiled collection by its digest, ``None`` if there is none.
    """

    snapshot: Callable[[], Snapshot | None]
    sign: Callable[[bytes], bytes]
    answers: Callable[[str], bytes | None]


def signed_answers(digest: str, body: bytes) -> bytes:
    """Return what the signature of a collection is over: it names what it is the content of."""
    return b"answers %b\n%b" % (digest.encode(), body)


def router(ports: DistributionPorts, login: Any) -> APIRouter:
    """Make the router; ``login`` is the dependency that tells who is asking."""
    routes = APIRouter(prefix="/distribution", tags=["distribution"])
    by = Annotated[Principal, login]

    @routes.get("/snapshot", summary="Fetch the snapshot", operation_id="fetch_snapshot")
    def fetch_snapshot(
        principal: by, if_none_match: Annotated[str | None, Header()] = None
    ) -> Response:
        found = _theirs(ports, principal)
        tag = f'"{found.version}"'
        if if_none_match == tag:
            return Response(status_code=304, headers={"etag": tag})
        body = encode(found)
        headers = {"etag": tag, SIGNATURE: _signature(ports, body), VERSION: str(found.version)}
        return Response(body, media_type="application/json", headers=headers)

    @routes.get("/answers/{digest}", summary="Fetch curated answers", operation_id="fetch_answers")
    def fetch_answers(
        digest: Annotated[str, Path(pattern="^[A-Za-z0-9:_-]{8,100}$")], principal: by
    ) -> Response:
        body = None
        if digest in _theirs(ports, principal).collections.values():
            body = ports.answers(digest)
        if body is None:
            raise NotFound("there are no such answers for this gateway")
        headers = {SIGNATURE: _signature(ports, signed_answers(digest, body))}
        return Response(body, media_type="application/octet-stream", headers=headers)

    return routes


def _theirs(ports: DistributionPorts, principal: Principal) -> Snapshot:
    if "gateway" not in principal.roles:
        raise RoleMissing(
            f"{principal.name} has not the role gateway",
            hint="a snapshot has everybody's prompts and rights: give the role to gateways only",
        )
    found = ports.snapshot()
    if found is None:
        raise NotFound("nothing has been published yet")
    return view(found, principal.tenants)


def _signature(ports: DistributionPorts, body: bytes) -> str:
    return base64.b64encode(ports.sign(body)).decode()
