"""Turn the slices' settings into the one value that a gateway serves from. Pure.

The same workspace gives the same digest on every machine and whatever the order in which its
files were read: keys of objects are sorted, and neither version nor time enters the digest.
"""

import hashlib
from collections.abc import Mapping

import msgspec

from steadyhand.prompts.model import Prompt
from steadyhand.routing.model import Route, RungEntry, SloClass
from steadyhand.routing.settings import DEFAULT_SLO, RouteSettings, RungSettings, SloSettings
from steadyhand.snapshot.model import Lane, ProviderEntry, Released, Snapshot
from steadyhand.tenancy.model import Key
from steadyhand.tenancy.settings import HASH_SCHEME, KeySettings


def compile_snapshot(
    *,
    keys: Mapping[str, KeySettings],
    routes: Mapping[str, RouteSettings],
    prompts: Mapping[str, Prompt],
    providers: Mapping[str, ProviderEntry],
    slo_classes: Mapping[str, SloSettings],
    now_us: int,
    version: int,
    collections: Mapping[str, str] | None = None,
    lanes: Mapping[str, dict[str, Lane]] | None = None,
    releases: Mapping[str, Released] | None = None,
) -> Snapshot:
    """Return the snapshot of settings that have been checked against each other.

    Args:
        keys: Name → key.
        routes: Name → route, each rung's table validated by its plugin.
        prompts: Name → prompt; every prompt that a route names.
        providers: Name → provider.
        slo_classes: Name → class.
        now_us: Wall clock, microseconds since 1970.
        version: Greater than that of any snapshot before; see ``store.next_version``.
        collections: Name → digest of each collection of curated answers.
        lanes: Channel → route → which releases it serves.
        releases: Digest → release, compiled by :func:`release`.
    """
    snapshot = Snapshot(
        version=version,
        compiled_us=now_us,
        digest="",
        keys={key.hash.removeprefix(HASH_SCHEME): _key(name, key) for name, key in keys.items()},
        routes={name: _route(name, route, prompts) for name, route in routes.items()},
        providers=dict(providers),
        slo_classes={
            name: SloClass(name=name, **slo.model_dump()) for name, slo in slo_classes.items()
        },
        default_slo=DEFAULT_SLO,
        collections=dict(collections or {}),
        lanes=dict(lanes or {}),
        releases=dict(releases or {}),
    )
    return msgspec.structs.replace(snapshot, digest=content_digest(snapshot))


def release(
    digest: str, name: str, route: RouteSettings, prompts: Mapping[str, Prompt], slo: SloSettings
) -> Released:
    """Return a release of the registry as a snapshot holds it.

    Its collections get names of their own, :func:`collection_name`: two releases of one route may
    have different answers under the same name.
    """
    compiled = _route(name, route, prompts)
    rungs = tuple(_own_collection(rung, digest) for rung in compiled.rungs)
    return Released(
        digest,
        msgspec.structs.replace(compiled, rungs=rungs),
        SloClass(name=route.slo, **slo.model_dump()),
    )


def collection_name(name: str, digest: str) -> str:
    """Return what a collection of a release is called in a snapshot."""
    return f"{name}@{digest.removeprefix('sha256:')[:16]}"


def _own_collection(rung: RungEntry, digest: str) -> RungEntry:
    table = msgspec.json.decode(rung.settings)
    if not isinstance(table.get("collection"), str):
        return rung
    table["collection"] = collection_name(table["collection"], digest)
    return msgspec.structs.replace(rung, settings=canonical_table(table))


def content_digest(snapshot: Snapshot) -> str:
    """Return ``sha256:`` + hex over all of ``snapshot`` but its version, time and digest."""
    content = msgspec.structs.replace(snapshot, version=0, compiled_us=0, digest="")
    return f"sha256:{hashlib.sha256(encode(content)).hexdigest()}"


def encode(snapshot: Snapshot) -> bytes:
    """Return ``snapshot`` as canonical JSON: equal snapshots give equal bytes."""
    return msgspec.json.encode(snapshot, order="deterministic")


def canonical_table(table: Mapping[str, object]) -> msgspec.Raw:
    """Return a plugin's table as canonical JSON, to stand in a snapshot as it is."""
    return msgspec.Raw(msgspec.json.encode(dict(table), order="deterministic"))


def _key(name: str, key: KeySettings) -> Key:
    return Key(name, key.tenant, key.channel, key.routes, key.models)


def _route(name: str, route: RouteSettings, prompts: Mapping[str, Prompt]) -> Route:
    return Route(
        name=name,
        slo=route.slo,
        rungs=tuple(_rung(rung, prompts) for rung in route.rungs),
        floor=_rung(route.floor, prompts),
        prompt=_prompt(route.prompt, prompts),
        is_drilled=route.drill,
    )


def _rung(rung: RungSettings, prompts: Mapping[str, Prompt]) -> RungEntry:
    own = rung.own_keys
    return RungEntry(rung.kind, canonical_table(own), _prompt(own.get("prompt"), prompts))


def _prompt(name: str | None, prompts: Mapping[str, Prompt]) -> Prompt | None:
    """Return the prompt of that name, ``None`` for none."""
    return None if name is None else prompts[name]
