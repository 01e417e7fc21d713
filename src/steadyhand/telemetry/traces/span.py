"""What a span is, before it is bytes. Pure."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Value = str | bool | int | float | tuple[str, ...]
Kind = Literal["server", "client", "internal"]


class SpanEvent(NamedTuple):
    """Something that happened at a moment of a span; microseconds since 1970."""

    name: str
    at_us: int
    attributes: Mapping[str, Value]


class Span(NamedTuple):
    """One span.

    Attributes:
        name: Of few different ones.
        kind: Who talks to whom.
        trace_id: 32 hex digits.
        span_id: 16 hex digits.
        parent_id: 16 hex digits, or empty for the first of its trace.
        started_us: Microseconds since 1970.
        ended_us: Likewise, not before.
        attributes: Name → value.
        events: In their order.
        failure: Why it failed; empty for no failure, and for one that is not its own.
        is_remote_parent: Whether the parent is somebody else's.
        is_sampled: The flag of its trace.
    """

    name: str
    kind: Kind
    trace_id: str
    span_id: str
    parent_id: str
    started_us: int
    ended_us: int
    attributes: Mapping[str, Value]
    events: tuple[SpanEvent, ...] = ()
    failure: str = ""
    is_remote_parent: bool = False
    is_sampled: bool = True
