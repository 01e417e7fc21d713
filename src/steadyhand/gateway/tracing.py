"""The trace that a request belongs to, as far as the request path has to know it. Pure.

Spans are made later, of the record, by the control process. What has to be known here is what
others must be told in time: the provider, of which attempt it is a part; the caller, of which trace
the answer is. Where traces are not sent anywhere, only what a client sent is noted, and its headers
go on as they came.
"""

import msgspec

from steadyhand.core import trace_context
from steadyhand.core.trace_context import TraceParent
from steadyhand.http.messages import Header

TRACEPARENT, TRACESTATE = b"traceparent", b"tracestate"
_THEIRS = (TRACEPARENT, TRACESTATE)


class Trace(msgspec.Struct, frozen=True, gc=False):
    """A trace with our spans in it.

    Attributes:
        request_id: What the ids of the spans are made of.
        trace_id: 32 hex digits.
        is_sampled: What others are told: whether it is kept.
        is_joined: Whether the client began it.
    """

    request_id: str
    trace_id: str
    is_sampled: bool
    is_joined: bool

    def answer_header(self) -> Header:
        """Return what tells the caller where the answer stands."""
        span_id = trace_context.request_span_id(self.request_id)
        return self._header(span_id)

    def attempt_headers(
        self, forwarded: tuple[Header, ...], deployment: tuple[str, str, str], began_us: int
    ) -> tuple[Header, ...]:
        """Return the headers of one attempt; ``deployment`` is provider, model and region.

        The client's ``tracestate`` goes on only with the trace that it belongs to.
        """
        span_id = trace_context.attempt_span_id(self.request_id, *deployment, began_us)
        dropped = (TRACEPARENT,) if self.is_joined else _THEIRS
        kept = [each for each in forwarded if each[0] not in dropped] if forwarded else []
        return (*kept, self._header(span_id))

    def _header(self, span_id: str) -> Header:
        made = trace_context.header(self.trace_id, span_id, is_sampled=self.is_sampled)
        return TRACEPARENT, made


class Tracing(msgspec.Struct, frozen=True):
    """Whether requests get spans.

    Attributes:
        is_on: Whether traces are sent anywhere.
        sample_percent: How many of those that begin here are kept.
    """

    is_on: bool = False
    sample_percent: float = 100.0

    def begun(self, request_id: str, parent: TraceParent | None) -> Trace | None:
        """Return the trace of a request; ``None`` if nobody will make spans of it."""
        if not self.is_on:
            return None
        if parent is not None:
            return Trace(request_id, parent.trace_id, parent.is_sampled, is_joined=True)
        trace_id = trace_context.own_trace_id(request_id)
        is_sampled = trace_context.is_drawn(trace_id, self.sample_percent)
        return Trace(request_id, trace_id, is_sampled, is_joined=False)


OFF = Tracing()


def sent_parent(headers: dict[bytes, bytes]) -> TraceParent | None:
    """Return what the client says of the trace it is in, if it says that well."""
    sent = headers.get(TRACEPARENT)
    return None if sent is None else trace_context.parse(sent)
