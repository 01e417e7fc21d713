"""What the registry adds to a snapshot, as a value; made by :mod:`steadyhand.app.releases`."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from steadyhand.core.errors import SteadyhandError
from steadyhand.knowledge.model import Entry
from steadyhand.snapshot.model import Lane, Released, Snapshot


class Refused(msgspec.Struct, frozen=True):
    """A lane that could not be brought to where its channel points.

    Attributes:
        environment: Of the channel.
        route: Of the channel.
        digest: Of the release that is not served; empty if the channel itself cannot be read.
        reason: Code of the error.
        message: Of the error.
    """

    environment: str
    route: str
    digest: str
    reason: str
    message: str


@dataclass
class Lanes:
    """What a snapshot holds of the registry.

    Attributes:
        lanes: Channel → route → what it serves.
        releases: Key → release.
        collections: Name → entries of what is new.
        shelved: Name → digest of what was compiled before.
        refused: What could not be served, and why.
    """

    lanes: dict[str, dict[str, Lane]] = field(default_factory=dict)
    releases: dict[str, Released] = field(default_factory=dict)
    collections: dict[str, Sequence[Entry]] = field(default_factory=dict)
    shelved: dict[str, str] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)


def kept(held: Snapshot | None, error: SteadyhandError) -> Lanes:
    """Return every lane as it is in force, because ``error`` leaves the registry unread."""
    lanes = Lanes(refused=[Refused("", "", "", error.code, error.message)])
    if held is not None:
        lanes.lanes = {name: dict(found) for name, found in held.lanes.items()}
        lanes.releases = dict(held.releases)
        lanes.shelved = {name: known for name, known in held.collections.items() if "@" in name}
    return lanes
