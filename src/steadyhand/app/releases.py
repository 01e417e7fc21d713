"""From the registry to what a snapshot says of channels: every release that is served, compiled.

Nothing here may take a good release out of service by accident:

- A registry that cannot be read leaves every lane as it was.
- A release that cannot be served here (another installation's provider, a damaged file) leaves its
  lane as it was.
- A revoked release goes at once, whatever else is wrong: where it was stable and the channel says
  nothing else, only the route's floor speaks.
"""

from collections.abc import Iterator, Mapping
from typing import Final, get_args

import msgspec

from steadyhand.app.lanes import Lanes, Refused, kept
from steadyhand.core.errors import SteadyhandError
from steadyhand.registry import bundle, reading, state
from steadyhand.registry.channel import DEV, Channel
from steadyhand.registry.environments import Environment
from steadyhand.registry.ports import Store
from steadyhand.routing.exposure import Unit
from steadyhand.settings import release as parts
from steadyhand.settings.problems import InvalidWorkspace
from steadyhand.snapshot.compile import collection_name, release
from steadyhand.snapshot.model import Lane, ProviderEntry, Released, Snapshot

FLOOR: Final = "#floor"
"""Behind a digest: the release without its rungs."""


def compiled(store: Store, providers: Mapping[str, ProviderEntry], held: Snapshot | None) -> Lanes:
    """Return what is to be served on every channel of ``store``.

    Args:
        store: Of the registry.
        providers: Of this installation.
        held: The snapshot in force: releases that it holds are not compiled again, and what cannot
            be served now stays as it is there.
    """
    held_providers = held.providers if held is not None else {}
    compiler = _Compiler(store, providers, held, reuse=held_providers == providers)
    try:
        compiler.units = _units(state.known_environments(store))
        revoked = state.refused(store)
        channels = state.channels(store)
    except SteadyhandError as error:
        return kept(held, error)
    for channel in channels:
        if channel.environment != DEV and channel.stable:
            compiler.add(channel, revoked)
    return compiler.lanes


class _Compiler:
    """Fills :class:`Lanes`."""

    def __init__(
        self,
        store: Store,
        providers: Mapping[str, ProviderEntry],
        held: Snapshot | None,
        *,
        reuse: bool,
    ) -> None:
        self._store = store
        self._providers = providers
        self._held = held
        self._reuse = reuse
        self.lanes = Lanes()
        self.units: Mapping[str, Unit] = {}

    def add(self, channel: Channel, revoked: frozenset[str]) -> None:
        """Add the lane of ``channel``."""
        lane: Lane | None
        try:
            lane = self._lane(channel, revoked)
        except SteadyhandError as error:
            reason = _reason(error)
            digest = channel.stable
            self.lanes.refused.append(
                Refused(channel.environment, channel.route, digest, error.code, reason)
            )
            lane = self._kept(channel, revoked)
        if lane is not None:
            self.lanes.lanes.setdefault(channel.environment, {})[channel.route] = lane

    def _lane(self, channel: Channel, revoked: frozenset[str]) -> Lane:
        stable = self._compiled(channel.route, channel.stable)
        if channel.stable in revoked:
            return Lane(self._floor_of(stable))
        self.lanes.releases[channel.stable] = stable
        if not channel.candidate or channel.candidate in revoked:
            return self._stable(channel)
        try:
            candidate = self._compiled(channel.route, channel.candidate)
        except SteadyhandError as error:  # the stable release is served all the same
            self.lanes.refused.append(
                Refused(
                    channel.environment,
                    channel.route,
                    channel.candidate,
                    error.code,
                    _reason(error),
                )
            )
            return self._stable(channel)
        self.lanes.releases[channel.candidate] = candidate
        return msgspec.structs.replace(
            self._stable(channel),
            candidate=channel.candidate,
            weight=channel.weight,
            salt=channel.salt,
        )

    def _stable(self, channel: Channel) -> Lane:
        return Lane(
            channel.stable,
            salt="" if channel.candidate else channel.salt,
            namespace=channel.namespace,
            unit=self.units.get(channel.environment, "conversation"),
        )

    def _floor_of(self, released: Released) -> str:
        key = released.digest + FLOOR
        route = msgspec.structs.replace(released.route, rungs=())
        self.lanes.releases[key] = msgspec.structs.replace(released, route=route)
        return key

    def _compiled(self, route: str, digest: str) -> Released:
        if self._held is not None and self._reuse and digest in self._held.releases:
            released = self._held.releases[digest]
            self._keep_collections(released)
            return released
        one = reading.Listed(route, bundle.short(bundle.checked_digest(digest)))
        found = reading.read(self._store, one)
        part = parts.read(found.files, route, self._providers)
        for name, entries in part.collections.items():
            self.lanes.collections[collection_name(name, digest)] = entries
        return release(digest, route, part.route, part.prompts, part.slo)

    def _keep_collections(self, released: Released) -> None:
        held = self._held.collections if self._held is not None else {}
        end = collection_name("", released.digest)
        self.lanes.shelved |= {name: known for name, known in held.items() if name.endswith(end)}

    def _kept(self, channel: Channel, revoked: frozenset[str]) -> Lane | None:
        """Return the lane in force, without what was revoked meanwhile."""
        lanes = self._held.lanes if self._held is not None else {}
        lane = lanes.get(channel.environment, {}).get(channel.route)
        if lane is None or self._held is None:
            return None
        for key in filter(None, (lane.stable, lane.candidate)):
            self.lanes.releases[key] = self._held.releases[key]
            self._keep_collections(self._held.releases[key])
        if self._held.releases[lane.stable].digest in revoked:
            return Lane(self._floor_of(self._held.releases[lane.stable]))
        if lane.candidate in revoked:
            return msgspec.structs.replace(lane, candidate="", weight=0, salt="")
        return lane


def _units(known: Mapping[str, Environment]) -> Mapping[str, Unit]:
    """Return who keeps to one arm, for each environment that says something that is known."""
    units: tuple[Unit, ...] = get_args(Unit)
    return {
        name: unit
        for name, one in known.items()
        for unit in units
        if one.rollout.get("unit") == unit
    }


def _reason(error: SteadyhandError) -> str:
    if isinstance(error, InvalidWorkspace):
        return "; ".join(_texts(error))
    return error.message


def _texts(error: InvalidWorkspace) -> Iterator[str]:
    for problem in error.problems[:5]:
        yield problem.text().partition("\n")[0]
