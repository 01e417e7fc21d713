"""The immutable value a gateway serves from."""

import msgspec

from steadyhand.routing.exposure import Unit
from steadyhand.routing.model import Route, SloClass
from steadyhand.tenancy.model import Key


class ProviderEntry(msgspec.Struct, frozen=True):
    """A configured provider.

    Attributes:
        kind: Names the plugin.
        settings: The plugin's own table as validated JSON; secrets by reference only.
    """

    kind: str
    settings: msgspec.Raw


class Released(msgspec.Struct, frozen=True):
    """A release of the registry, compiled.

    Attributes:
        digest: Of the release in the registry: ``sha256:`` and 64 hex digits.
        route: As a request meets it; without rungs if the release was revoked and nothing takes its
            place: then only its floor speaks.
        slo: Its SLO class.
    """

    digest: str
    route: Route
    slo: SloClass


class Lane(msgspec.Struct, frozen=True):
    """Which releases of a route a channel serves.

    Attributes:
        stable: Key of :attr:`Snapshot.releases`.
        candidate: Key of the one that is tried, or empty.
        weight: Part of the traffic that the candidate gets, in basis points.
        salt: Of the draw; see :mod:`steadyhand.routing.exposure`. Without a candidate, that of a
            first release that is watched.
        namespace: Of the stable release's kept answers: salt of the rollout that it came by.
        unit: Who keeps to one arm.
    """

    stable: str
    candidate: str = ""
    weight: int = 0
    salt: str = ""
    namespace: str = ""
    unit: Unit = "conversation"


class Snapshot(msgspec.Struct, frozen=True):
    """All that decides an answer, at one moment.

    Attributes:
        version: Grows with each compilation; an older one is refused.
        compiled_us: Wall clock, microseconds since 1970.
        digest: ``sha256:`` + hex over everything but ``version`` and ``compiled_us``: the same
            workspace has the same digest on every machine.
        keys: SHA-256 of a key in hex → its rights.
        routes: Name → route.
        providers: Name → provider.
        slo_classes: Name → class.
        default_slo: Class of a directly addressed provider model.
        collections: Name of a collection of curated answers → digest of its compiled file.
        lanes: Channel → route → what it serves; ``dev`` is the workspace's and not here.
        releases: Digest → release, of all that a lane names.
    """

    version: int
    compiled_us: int
    digest: str
    keys: dict[str, Key]
    routes: dict[str, Route]
    providers: dict[str, ProviderEntry]
    slo_classes: dict[str, SloClass]
    default_slo: str = "interactive"
    collections: dict[str, str] = {}
    lanes: dict[str, dict[str, Lane]] = {}
    releases: dict[str, Released] = {}
