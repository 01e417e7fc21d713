"""What one gateway process serves from: a snapshot with its rungs and providers built."""

from collections.abc import Callable, Collection, Mapping
from fnmatch import fnmatchcase
from math import inf
from typing import Any

import msgspec

from steadyhand.gateway.wording import Wording
from steadyhand.providers.base import Provider
from steadyhand.routing.exposure import Assigned, Slices, Unit
from steadyhand.routing.model import SloClass
from steadyhand.routing.rungs.base import FloorRung, LiveRung, StoredRung, is_live
from steadyhand.snapshot.model import Snapshot

MAX_DIRECT_LADDERS = 1024
DEV = "dev"
"""The channel that the workspace feeds."""

Rung = LiveRung | StoredRung
"""What may stand above a floor."""

BuildLive = Callable[[str, str], LiveRung | None]
"""Makes a live rung for (provider, model); ``None`` if the provider is not configured."""


class Ladder(msgspec.Struct, frozen=True):
    """A route ready to answer.

    Attributes:
        route: Name as in the record.
        slo: The class whose budgets apply.
        rungs: What to try, in order: live rungs and stored ones.
        floor: What speaks when none of them did in time.
        instructions: Messages as JSON, with commas between, put before the client's; or empty.
        own_instructions: For each rung, what it puts there in place of that; or empty. May be
            shorter than ``rungs``.
        wording: What its prompts make of each request in place of these two; ``None`` if they are
            the same for all requests.
        release: Digest of what shapes this route's answers.
        lineups: What climbs have found out about it and may share; theirs alone.
        digest: Of the registry's release that it was built from; empty for the workspace.
        health: Names whose health is asked and told; empty for what all share.
    """

    route: str
    slo: SloClass
    rungs: tuple[Rung, ...]
    floor: FloorRung
    instructions: bytes = b""
    own_instructions: tuple[bytes, ...] = ()
    wording: Wording | None = None
    release: str = ""
    lineups: dict[object, Any] = msgspec.field(default_factory=dict)
    digest: str = ""
    health: str = ""

    @property
    def keeps_answers(self) -> bool:
        """Whether some rung takes live answers for later requests."""
        return any(not is_live(rung) for rung in self.rungs)

    def budget_s(self, *, stream: bool) -> float:
        """Return the latency budget in seconds, ``inf`` if the class has none."""
        milliseconds = self.slo.first_content_ms if stream else self.slo.whole_ms
        return milliseconds / 1000 if milliseconds else inf

    def cap_s(self, *, stream: bool) -> float:
        """Return the cap on a whole exchange in seconds."""
        if stream or not self.slo.whole_ms:
            return self.slo.stream_cap_ms / 1000 if self.slo.stream_cap_ms else inf
        return self.slo.whole_ms / 1000


class Choice(msgspec.Struct, frozen=True):
    """Which releases answer for a route on a channel.

    Attributes:
        stable: The one for everybody who is not drawn.
        candidate: The one that is tried; ``None`` for none.
        compared: The same, for the slice of it that is compared.
        controls: The stable one, for each slice that it is compared with.
        slices: Of the traffic.
        salt: Of the draw; without a candidate, that of a first release that is watched.
        unit: Who keeps to one arm.
    """

    stable: Ladder
    candidate: Ladder | None = None
    compared: Ladder | None = None
    controls: tuple[Ladder, ...] = ()
    slices: Slices = Slices(0, 0, 0)
    salt: str = ""
    unit: Unit = "conversation"

    def ladder(self, assigned: Assigned) -> Ladder:
        """Return what answers who is assigned so."""
        if assigned.arm == "candidate":
            return (self.candidate if assigned.part < 0 else self.compared) or self.stable
        return self.controls[assigned.part] if assigned.arm == "control" else self.stable


class Serving:
    """Everything a request reads; replaced as a whole when a snapshot arrives."""

    def __init__(
        self,
        snapshot: Snapshot,
        ladders: Mapping[str, Ladder],
        providers: Mapping[str, Provider],
        direct: "DirectLadders",
        channels: Mapping[str, Mapping[str, Choice]] | None = None,
    ) -> None:
        """Hold the parts; ``release`` is the digest that records and headers carry.

        ``channels`` has, for each channel but the workspace's own, route → what answers there.
        """
        self.snapshot = snapshot
        self.ladders = ladders
        self.providers = providers
        self.keys = snapshot.keys
        self.release = snapshot.digest
        self.release_label = snapshot.digest.encode()
        self.users = 0  # requests that read this now; a retired one closes when none do
        self.channels = channels or {}
        self._direct = direct

    def route_names(self, channel: str) -> Collection[str]:
        """Return the routes that a key of ``channel`` finds."""
        return (self.ladders if channel == DEV else self.channels.get(channel, {})).keys()

    def direct(self, model: str, patterns: tuple[str, ...]) -> Ladder | None:
        """Return what answers for a provider's model called by name, if a pattern allows it."""
        if any(fnmatchcase(model, pattern) for pattern in patterns):
            return self._direct.get(model)
        return None

    async def close(self, keep: frozenset[int]) -> None:
        """Close the connections of every provider whose ``id()`` is not in ``keep``."""
        for provider in self.providers.values():
            if id(provider) not in keep:
                await provider.close()


class DirectLadders:
    """Ladders of provider models called by name: one live rung, then an honest error."""

    def __init__(self, build: BuildLive, floor: FloorRung, slo: SloClass) -> None:
        """Take the maker of live rungs, and the floor and class that all of them share."""
        self._build = build
        self._floor = floor
        self._slo = slo
        self._made: dict[str, Ladder] = {}

    def get(self, name: str) -> Ladder | None:
        """Return the ladder for ``provider/model``, or ``None`` if there is no such provider.

        The name comes from a client and goes into a header of the answer: printable ASCII only.
        """
        found = self._made.get(name)
        if found is not None:
            return found
        provider, _, model = name.partition("/")
        is_plain = model != "" and name.isascii() and name.isprintable()
        rung = self._build(provider, model) if is_plain else None
        if rung is None:
            return None
        if len(self._made) >= MAX_DIRECT_LADDERS:  # names come from clients: never grow for ever
            self._made.clear()
        ladder = Ladder(route=provider + "/*", slo=self._slo, rungs=(rung,), floor=self._floor)
        self._made[name] = ladder
        return ladder
