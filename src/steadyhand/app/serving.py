"""From a snapshot to what a gateway serves from: plugins imported, rungs and providers built."""

from dataclasses import replace
from hashlib import sha256
from types import ModuleType

import msgspec

from steadyhand.core.plugins import load
from steadyhand.gateway.serving import (
    Choice,
    DirectLadders,
    Ladder,
    Rung,
    Serving,
)
from steadyhand.gateway.wording import wording_of
from steadyhand.prompts.model import Prompt
from steadyhand.prompts.rendering import Prepared
from steadyhand.providers.base import Provider, ProviderPorts
from steadyhand.routing.exposure import Arm, scope, slices
from steadyhand.routing.model import Route, RungEntry, SloClass, deployments_of
from steadyhand.routing.ports import RungPorts
from steadyhand.routing.rungs.base import FloorRung, LiveRung
from steadyhand.snapshot.model import Lane, ProviderEntry, Snapshot

PROVIDERS = "steadyhand.providers"
RUNGS = "steadyhand.routing.rungs"


def build_serving(
    snapshot: Snapshot,
    provider_ports: ProviderPorts,
    held: Serving | None = None,
    rung_ports: RungPorts | None = None,
) -> Serving:
    """Build every provider and rung that ``snapshot`` names.

    Providers whose tables are the same in ``held`` are taken over with their connections.
    ``rung_ports`` is what lives longer than a snapshot: caches, knowledge, loads; its providers are
    filled in here.

    Raises:
        SteadyhandError: A plugin is not installed, a secret is not there, a table is not valid.
    """
    providers = {
        name: _held(name, entry, held) or _provider(entry, replace(provider_ports, name=name))
        for name, entry in snapshot.providers.items()
    }
    ports = replace(rung_ports or RungPorts({}), providers=providers)
    ladders = {
        name: _ladder(route, snapshot.slo_classes[route.slo], snapshot, ports)
        for name, route in snapshot.routes.items()
    }
    return Serving(
        snapshot, ladders, providers, _direct(snapshot, ports), _channels(snapshot, ports)
    )


def _held(name: str, entry: ProviderEntry, held: Serving | None) -> Provider | None:
    if held is None or held.snapshot.providers.get(name) != entry:
        return None
    return held.providers[name]


def _provider(entry: ProviderEntry, ports: ProviderPorts) -> Provider:
    plugin = load(PROVIDERS, entry.kind)
    provider: Provider = plugin.build(_settings(plugin, entry.settings), ports)
    return provider


def _channels(snapshot: Snapshot, ports: RungPorts) -> dict[str, dict[str, Choice]]:
    """Build each release once, and say what answers on each channel."""
    built = {
        key: _ladder(released.route, released.slo, snapshot, ports, released.digest)
        for key, released in snapshot.releases.items()
    }
    return {
        channel: {
            route: choice_of(built[lane.stable], built.get(lane.candidate), lane)
            for route, lane in lanes.items()
        }
        for channel, lanes in snapshot.lanes.items()
    }


def choice_of(stable: Ladder, candidate: Ladder | None, lane: Lane) -> Choice:
    """Return what answers in a lane: each compared slice with a cache and health of its own."""
    cut = slices(lane.weight if candidate is not None else 0)
    mine = _scoped(stable, lane.namespace, health="")
    if candidate is None:
        return Choice(mine, salt=lane.salt, unit=lane.unit)

    def arm(ladder: Ladder, name: Arm, part: int) -> Ladder:
        found = scope(lane.salt, name, cut, part)
        return _scoped(ladder, found, health=found)

    return Choice(
        mine,
        arm(candidate, "candidate", -1),
        arm(candidate, "candidate", 0),
        tuple(arm(stable, "control", part) for part in range(cut.controls)),
        cut,
        lane.salt,
        lane.unit,
    )


def _scoped(ladder: Ladder, namespace: str, *, health: str) -> Ladder:
    if not namespace:
        return ladder
    return msgspec.structs.replace(
        ladder, release=f"{ladder.release}:{namespace}", health=health, lineups={}
    )


def _ladder(
    route: Route, slo: SloClass, snapshot: Snapshot, ports: RungPorts, digest: str = ""
) -> Ladder:
    prompt, own = _prepared(route.prompt), [_prepared(entry.prompt) for entry in route.rungs]
    return Ladder(
        route=route.name,
        slo=slo,
        rungs=tuple(_rung(entry, ports) for entry in route.rungs),
        floor=_floor(route.floor, ports),
        instructions=_fixed(prompt),
        own_instructions=tuple(map(_fixed, own)),
        wording=wording_of(prompt, own),
        release=_release(route, snapshot),
        digest=digest,
    )


def _prepared(prompt: Prompt | None) -> Prepared | None:
    return Prepared(prompt) if prompt is not None else None


def _fixed(prompt: Prepared | None) -> bytes:
    return prompt.fixed if prompt is not None else b""


def _release(route: Route, snapshot: Snapshot) -> str:
    """Return a digest of what shapes the answers of ``route``: itself and whom it asks.

    Narrower than the snapshot's, so that a change elsewhere leaves its stored answers valid. So
    does one of how a provider is reached, made when the answers of before are needed most.
    """
    called = {d.provider or "" for rung in route.rungs for d in deployments_of(rung)}
    asked = {
        name: _shape(snapshot.providers[name])
        for name in sorted(called)
        if name in snapshot.providers
    }
    encoded = msgspec.json.encode((route, asked), order="deterministic")
    return sha256(encoded).hexdigest()


def _shape(entry: ProviderEntry) -> tuple[str, dict[str, msgspec.Raw]]:
    """Return the part of a provider's table that decides what its models say."""
    table = msgspec.json.decode(entry.settings, type=dict[str, msgspec.Raw])
    shaping = getattr(load(PROVIDERS, entry.kind), "SHAPES_ANSWERS", table)
    return entry.kind, {key: value for key, value in table.items() if key in shaping}


def _rung(entry: RungEntry, ports: RungPorts) -> Rung:
    plugin = load(RUNGS, entry.kind)
    rung: Rung = plugin.build(_settings(plugin, entry.settings), ports)
    return rung


def _live(entry: RungEntry, ports: RungPorts) -> LiveRung:
    plugin = load(RUNGS, entry.kind)
    rung: LiveRung = plugin.build(_settings(plugin, entry.settings), ports)
    return rung


def _floor(entry: RungEntry, ports: RungPorts) -> FloorRung:
    plugin = load(RUNGS, entry.kind)
    rung: FloorRung = plugin.build(_settings(plugin, entry.settings), ports)
    return rung


def _direct(snapshot: Snapshot, ports: RungPorts) -> DirectLadders:
    def live(provider: str, model: str) -> LiveRung | None:
        if provider not in ports.providers:
            return None
        table = msgspec.json.encode({"provider": provider, "model": model})
        return _live(RungEntry("live", msgspec.Raw(table)), ports)

    floor = _floor(RungEntry("error", msgspec.Raw(b"{}")), ports)
    return DirectLadders(live, floor, snapshot.slo_classes[snapshot.default_slo])


def _settings(plugin: ModuleType, table: msgspec.Raw) -> object:
    return plugin.Settings.model_validate_json(bytes(table))
