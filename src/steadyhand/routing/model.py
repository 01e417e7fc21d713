"""Routes, rungs and SLO classes, compiled and immutable."""

from typing import NamedTuple

import msgspec

from steadyhand.prompts.model import Prompt


class DeploymentId(NamedTuple):
    """Whom a live rung asks, and what health is kept of.

    Attributes:
        provider: Name in the workspace.
        model: The provider's name of the model.
        region: As the deployment's table says, empty if it says nothing.
    """

    provider: str
    model: str
    region: str = ""


class SloClass(msgspec.Struct, frozen=True):
    """A latency budget with a name; milliseconds, 0 for none.

    Attributes:
        name: ``instant``, ``interactive``, ``batch`` or the workspace's own.
        first_content_ms: Last request byte to the first content of a stream.
        whole_ms: Last request byte to the last byte of an answer that is not a stream.
        stream_cap_ms: Cap on a whole stream; a stream past it is truncated, and says so.
    """

    name: str
    first_content_ms: int
    whole_ms: int
    stream_cap_ms: int


class RungEntry(msgspec.Struct, frozen=True):
    """One rung of a route.

    Attributes:
        kind: Names the plugin: ``live``, ``cache``, ``knowledge``, ``template`` ...
        settings: The plugin's own table as validated JSON, for its ``Settings``.
        prompt: Put before the messages in place of the route's; ``None`` for the route's.
    """

    kind: str
    settings: msgspec.Raw
    prompt: Prompt | None = None


class Route(msgspec.Struct, frozen=True):
    """What a client calls by ``model``.

    Attributes:
        name: The value of ``model``.
        slo: Name of its SLO class.
        rungs: The rungs above the floor, in order.
        floor: The last rung; cannot fail and is never late.
        prompt: Put before the client's messages; ``None`` for nothing.
        is_drilled: Whether its rungs are exercised where traffic does not reach them.
    """

    name: str
    slo: str
    rungs: tuple[RungEntry, ...]
    floor: RungEntry
    prompt: Prompt | None = None
    is_drilled: bool = True


class DeploymentTable(msgspec.Struct, frozen=True):
    """The part of a rung's settings that says whom it calls; empty for rungs that call nobody."""

    provider: str | None = ""
    model: str | None = ""
    region: str = ""
    weight: float = 1.0
    deployments: tuple["DeploymentTable", ...] = ()


def deployments_of(rung: RungEntry) -> tuple[DeploymentTable, ...]:
    """Return whom ``rung`` may call, in the order of its settings."""
    table = msgspec.json.decode(rung.settings, type=DeploymentTable)
    return (table,) if table.provider else table.deployments
