"""REST of releases."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from steadyhand.control.registry.previews import (
    LintView,
    PreviewList,
    lint_view,
    preview_list,
)
from steadyhand.control.registry.views import (
    DIGITS,
    NAME,
    ApprovalRequest,
    ApprovalView,
    DifferenceView,
    EnvironmentsRequest,
    EnvironmentView,
    FilesView,
    ReasonRequest,
    RegistryView,
    ReleaseList,
    ReleaseRequest,
    ReleaseView,
    RemoteView,
    RevocationView,
    approval,
    difference_view,
    revocation,
    seen,
    view_of,
    whole,
)
from steadyhand.core.errors import InvalidValue, NotFound
from steadyhand.prompts.draft import Finding, Preview
from steadyhand.registry import bundle, reading, state
from steadyhand.registry.reading import Release
from steadyhand.registry.service import RegistryService
from steadyhand.tenancy.principals import Principal

Digest = Annotated[str, Path(pattern=f"^({DIGITS})$", description="or its first digits, 4 or more")]


@dataclass(frozen=True, slots=True)
class RegistryPorts:
    """What the router needs.

    Attributes:
        service: Returns the operations; opens or makes the registry when it is first asked.
        collect: Returns the files that a release of a route of the workspace has now.
        previews: Returns what the prompts among the files of a release become.
        lint: Returns what is found in the prompts among the files of a release of a route.
        refused: Returns what could not be put in force, as ``environment``, ``route``, ``digest``,
            ``reason`` and ``message``.
        remote: Returns how the remote is; ``None`` if there is none.
        login: Dependency that returns who is asking.
    """

    service: Callable[[], RegistryService]
    collect: Callable[[str], Mapping[str, bytes]]
    previews: Callable[[Mapping[str, bytes]], Sequence[Preview]]
    lint: Callable[[Mapping[str, bytes], str], Sequence[Finding]]
    refused: Callable[[], Sequence[Mapping[str, Any]]]
    remote: Callable[[], RemoteView | None]
    login: Any


def add(api: APIRouter, ports: RegistryPorts) -> None:
    """Add the registry and its releases to ``api``."""
    _show(api, ports)
    _read(api, ports)
    _say(api, ports)


def _show(api: APIRouter, ports: RegistryPorts) -> None:
    by = Annotated[Principal, ports.login]

    @api.get("/registry", tags=["registry"], summary="Show the registry", operation_id="registry")
    def show_registry() -> RegistryView:
        return _registry(ports)

    @api.put(
        "/registry/environments",
        tags=["registry"],
        summary="Say what environments ask for",
        operation_id="set_environments",
    )
    def set_environments(wanted: EnvironmentsRequest, principal: by) -> RegistryView:
        ports.service().set_environments(wanted.toml.encode(), principal, wanted.note)
        return _registry(ports)

    @api.get("/releases", tags=["releases"], summary="List releases", operation_id="list_releases")
    def list_releases(
        route: Annotated[str, Query(pattern=f"^({NAME})?$")] = "",
    ) -> ReleaseList:
        known = seen(ports.service().store)
        views = [view_of(known, one) for one in reading.listed(known.store, route)]
        return ReleaseList(items=sorted(views, key=lambda view: -view.created_s))

    @api.post("/releases", tags=["releases"], summary="Make a release", operation_id="make_release")
    def make_release(wanted: ReleaseRequest, principal: by) -> ReleaseView:
        files = ports.collect(wanted.route) if wanted.files is None else _decoded(wanted.files)
        service = ports.service()
        made = service.create(wanted.route, files, principal, wanted.note)
        return whole(service.store, made)

    @api.get(
        "/releases/{digest}", tags=["releases"], summary="Show a release", operation_id="release"
    )
    def show_release(digest: Digest) -> ReleaseView:
        store = ports.service().store
        return whole(store, reading.read(store, reading.find(store, digest)))

    @api.get(
        "/releases/{digest}/files",
        tags=["releases"],
        summary="Read the files of a release",
        operation_id="release_files",
    )
    def read_files(digest: Digest) -> FilesView:
        store = ports.service().store
        found = reading.read(store, reading.find(store, digest))
        encoded = {path: base64.b64encode(raw).decode() for path, raw in found.files.items()}
        return FilesView(digest=found.digest, files=encoded)


def _read(api: APIRouter, ports: RegistryPorts) -> None:
    @api.get(
        "/releases/{digest}/diff",
        tags=["releases"],
        summary="Compare two releases",
        operation_id="diff_releases",
    )
    def diff_releases(
        digest: Digest,
        to: Annotated[
            str, Query(description="digest, `workspace`, or a channel as `environment/route`")
        ] = "workspace",
    ) -> DifferenceView:
        store = ports.service().store
        before = reading.read(store, reading.find(store, digest))
        after = _other(ports, to, before.manifest.route)
        return difference_view(before, after)

    @api.get(
        "/releases/{digest}/lint",
        tags=["releases"],
        summary="Check the prompts of a release",
        operation_id="lint_release",
    )
    def lint(digest: Digest) -> LintView:
        store = ports.service().store
        found = reading.read(store, reading.find(store, digest))
        return lint_view(found.digest, ports.lint(found.files, found.manifest.route))

    @api.get(
        "/releases/{digest}/preview",
        tags=["releases"],
        summary="Show what the prompts of a release become",
        operation_id="preview_release",
    )
    def preview(
        digest: Digest,
        to: Annotated[
            str,
            Query(description="compare with a digest, `workspace`, or a channel; empty for none"),
        ] = "",
    ) -> PreviewList:
        store = ports.service().store
        before = reading.read(store, reading.find(store, digest))
        shown = ports.previews(before.files)
        if not to:
            return preview_list(before.digest, shown)
        after = _other(ports, to, before.manifest.route)
        return preview_list(before.digest, shown, after.digest, ports.previews(after.files))


def _say(api: APIRouter, ports: RegistryPorts) -> None:
    by = Annotated[Principal, ports.login]

    @api.post(
        "/releases/{digest}/approvals",
        tags=["releases"],
        summary="Approve a release",
        operation_id="approve_release",
    )
    def approve(digest: Digest, wanted: ApprovalRequest, principal: by) -> ApprovalView:
        said = ports.service().approve(digest, wanted.environment, principal, wanted.note)
        return approval(said)

    @api.post(
        "/releases/{digest}/revocation",
        tags=["releases"],
        summary="Revoke a release",
        operation_id="revoke_release",
    )
    def revoke(digest: Digest, wanted: ReasonRequest, principal: by) -> RevocationView:
        return revocation(ports.service().revoke(digest, wanted.reason, principal))

    @api.post(
        "/releases/{digest}/waiver",
        tags=["releases"],
        summary="Ask for a waiver, or agree to one",
        operation_id="waive_release",
    )
    def waive(digest: Digest, wanted: ReasonRequest, principal: by) -> RevocationView:
        return revocation(ports.service().waive(digest, wanted.reason, principal))


def _registry(ports: RegistryPorts) -> RegistryView:
    store = ports.service().store
    known = state.known_environments(store)
    return RegistryView(
        head=store.head(),
        releases=len(reading.listed(store)),
        channels=len(state.channels(store)),
        environments=[
            EnvironmentView(
                name=name,
                origin=one.origin,
                approvals=one.approvals,
                protected=one.protected,
                bake_s=one.bake_s,
            )
            for name, one in known.items()
        ],
        refused=[dict(one) for one in ports.refused()],
        remote=ports.remote(),
    )


def _decoded(files: Mapping[str, str]) -> dict[str, bytes]:
    try:
        return {path: base64.b64decode(text, validate=True) for path, text in files.items()}
    except (binascii.Error, ValueError) as error:
        raise InvalidValue(
            f"files: not base64: {error}", hint="encode each file's bytes", param="files"
        ) from error


def _other(ports: RegistryPorts, name: str, route: str) -> Release:
    if name == "workspace":
        files = dict(ports.collect(route))
        manifest = bundle.manifest_of(route, files)
        return Release(bundle.digest_of(manifest), manifest, files)
    store = ports.service().store
    environment, slash, of = name.partition("/")
    if not slash:
        return reading.read(store, reading.find(store, name))
    past = state.past(store, environment, of)
    if not past:
        raise NotFound(f"nothing of {of[:63]} was released to {environment[:63]}")
    return reading.read(store, reading.find(store, past[0][1].stable, of))
