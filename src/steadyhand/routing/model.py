"""Routes, rungs and SLO classes, compiled and immutable."""

import msgspec


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
        kind: Names the plugin: ``live``, ``template``, ``schema``, ``error``.
        settings: The plugin's own table as validated JSON, for its ``Settings``.
    """

    kind: str
    settings: msgspec.Raw


class Route(msgspec.Struct, frozen=True):
    """What a client calls by ``model``.

    Attributes:
        name: The value of ``model``.
        slo: Name of its SLO class.
        rungs: The rungs above the floor, in order.
        floor: The last rung; cannot fail and is never late.
        instructions: System text put before the client's messages, or empty.
    """

    name: str
    slo: str
    rungs: tuple[RungEntry, ...]
    floor: RungEntry
    instructions: str = ""
