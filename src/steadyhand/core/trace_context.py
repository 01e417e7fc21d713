"""W3C trace context: ids of traces and spans, and ``traceparent`` read and written.

Ids of ours are hashes of the request's id, so that whoever has the record has them, a span that is
sent twice is the same span, and nothing need be kept. What a client sends is believed only if it is
exactly of the form; anything else begins a trace of our own and is never an error.

Source: W3C Trace Context, level 2; for the draw, OpenTelemetry's consistent probability sampling
(the 56 lowest bits of the trace's id against a threshold), so that everybody who samples by the
same share keeps the same traces.
"""

import re
from hashlib import blake2b

import msgspec

_FORM = re.compile(
    rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[\x21-\x7e]*)?", re.ASCII
)
_LONGEST = 256
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
_SAMPLED = 0x01
_DRAW_BITS = 56


class TraceParent(msgspec.Struct, frozen=True, gc=False):
    """Where a request stands in a trace that somebody else began.

    Attributes:
        trace_id: 32 hex digits.
        span_id: The span that called us, 16 hex digits.
        is_sampled: Whether who began it keeps it.
    """

    trace_id: str
    span_id: str
    is_sampled: bool

    @property
    def text(self) -> str:
        """As a header has it."""
        return header(self.trace_id, self.span_id, is_sampled=self.is_sampled).decode()


def parse(sent: bytes) -> TraceParent | None:
    """Read a ``traceparent``; ``None`` if it is not exactly of the form, or names nothing."""
    found = _FORM.fullmatch(sent) if len(sent) <= _LONGEST else None
    if found is None:
        return None
    version, trace_id, span_id, flags, more = (part or b"" for part in found.groups())
    if version == b"ff" or (version == b"00" and more):
        return None
    trace, span = trace_id.decode(), span_id.decode()
    if trace == _NO_TRACE or span == _NO_SPAN:
        return None
    return TraceParent(trace, span, bool(int(flags, 16) & _SAMPLED))


def header(trace_id: str, span_id: str, *, is_sampled: bool) -> bytes:
    """Write a ``traceparent``, always of version 00."""
    return f"00-{trace_id}-{span_id}-{'01' if is_sampled else '00'}".encode()


def own_trace_id(request_id: str) -> str:
    """Return the id of the trace that begins with a request of ours."""
    return blake2b(request_id.encode(), digest_size=16).hexdigest()


def request_span_id(request_id: str) -> str:
    """Return the id of the span of a whole request."""
    return blake2b(request_id.encode(), digest_size=8).hexdigest()


def attempt_span_id(request_id: str, provider: str, model: str, region: str, began_us: int) -> str:
    """Return the id of the span of one attempt; ``began_us`` after the request's last byte."""
    return part_span_id(request_id, f"{provider}\0{model}\0{region}\0{began_us}")


def part_span_id(request_id: str, part: str) -> str:
    """Return the id of the span of some part of a request."""
    return blake2b(f"{request_id}\0{part}".encode(), digest_size=8).hexdigest()


def is_drawn(trace_id: str, percent: float) -> bool:
    """Whether a trace is among the ``percent`` of all that are kept."""
    if percent >= 100:
        return True
    drawn = int(trace_id, 16) & ((1 << _DRAW_BITS) - 1)
    return drawn >= round((100 - percent) / 100 * (1 << _DRAW_BITS))
