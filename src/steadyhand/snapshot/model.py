"""The immutable value a gateway serves from."""

import msgspec

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
