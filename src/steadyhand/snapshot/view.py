"""Parts of a snapshot: what one installation's gateways may have, and what is left of it. Pure."""

from collections.abc import Collection
from fnmatch import fnmatchcase

import msgspec
from msgspec.structs import replace

from steadyhand.routing.model import Route, deployments_of
from steadyhand.snapshot.compile import content_digest
from steadyhand.snapshot.model import Released, Snapshot
from steadyhand.tenancy.model import Key


def view(snapshot: Snapshot, tenants: Collection[str]) -> Snapshot:
    """Return what gateways of ``tenants`` need, and nothing of others; empty for all tenants.

    Kept are the tenants' keys, and what these can reach: routes that one of them may call, what is
    served of them on its channels, the providers, classes and curated answers of those, and
    providers whose models a key may call by name.
    """
    if not tenants:
        return snapshot
    keys = {hash_: key for hash_, key in snapshot.keys.items() if key.tenant in tenants}
    held = keys.values()
    routes = {name: route for name, route in snapshot.routes.items() if _may(held, name)}
    channels = {key.channel for key in held}
    lanes = {
        channel: kept
        for channel, served in snapshot.lanes.items()
        if channel in channels
        and (kept := {name: lane for name, lane in served.items() if _may(held, name, channel)})
    }
    named = {
        key
        for served in lanes.values()
        for lane in served.values()
        for key in (lane.stable, lane.candidate)
    }
    releases = {key: one for key, one in snapshot.releases.items() if key in named}
    reached = [*routes.values(), *(one.route for one in releases.values())]
    patterns = [pattern for key in held for pattern in key.models]
    found = replace(
        snapshot,
        keys=keys,
        routes=routes,
        lanes=lanes,
        releases=releases,
        providers={
            name: entry
            for name, entry in snapshot.providers.items()
            if _calls(reached, name) or any(fnmatchcase(name, p.split("/")[0]) for p in patterns)
        },
        slo_classes={
            name: slo
            for name, slo in snapshot.slo_classes.items()
            if name == snapshot.default_slo or any(route.slo == name for route in routes.values())
        },
        collections={
            name: digest
            for name, digest in snapshot.collections.items()
            if name in _collections(reached)
        },
    )
    return replace(found, digest=content_digest(found))


def floors_only(snapshot: Snapshot) -> Snapshot:
    """Return a snapshot in which nothing but floors answers, as far as routes go.

    For gateways that have not heard for too long what may still be served. Models that were called
    by name are not reached either: their providers are gone.
    """
    routes = {name: replace(route, rungs=()) for name, route in snapshot.routes.items()}
    releases = {
        key: Released(one.digest, replace(one.route, rungs=()), one.slo)
        for key, one in snapshot.releases.items()
    }
    found = replace(snapshot, routes=routes, releases=releases, providers={}, collections={})
    return replace(found, digest=content_digest(found))


def _may(keys: Collection[Key], route: str, channel: str = "") -> bool:
    return any(
        (route in key.routes or "*" in key.routes) and channel in ("", key.channel) for key in keys
    )


def _calls(routes: Collection[Route], provider: str) -> bool:
    return any(
        deployment.provider == provider
        for route in routes
        for rung in (*route.rungs, route.floor)
        for deployment in deployments_of(rung)
    )


def _collections(routes: Collection[Route]) -> set[str]:
    found = set()
    for route in routes:
        for rung in route.rungs:
            name = msgspec.json.decode(rung.settings).get("collection")
            if isinstance(name, str):
                found.add(name)
    return found
