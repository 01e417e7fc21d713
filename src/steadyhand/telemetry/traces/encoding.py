"""Spans as the body of an OTLP request: protobuf, gzipped. Pure.

Source: opentelemetry-proto 1.x, ``collector/trace/v1``. Imported only where traces are sent.
"""

import gzip
from collections.abc import Mapping, Sequence
from typing import Final

from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service
from opentelemetry.proto.common.v1 import common_pb2 as common
from opentelemetry.proto.resource.v1 import resource_pb2 as resource
from opentelemetry.proto.trace.v1 import trace_pb2 as trace

from steadyhand.telemetry.traces.span import Span, SpanEvent, Value

SCOPE: Final = "steadyhand"
LONGEST: Final = 2_048
"""Characters of one value."""
_LEVEL: Final = 1  # at higher ones the control process works twice as long for a tenth of the size
_KINDS = {
    "internal": trace.Span.SPAN_KIND_INTERNAL,
    "server": trace.Span.SPAN_KIND_SERVER,
    "client": trace.Span.SPAN_KIND_CLIENT,
}
_FAILED = trace.Status(code=trace.Status.STATUS_CODE_ERROR)
_SAMPLED, _KNOWS_REMOTE, _IS_REMOTE = 0x1, 0x100, 0x200


def encode(spans: Sequence[Span], about: Mapping[str, Value], version: str) -> bytes:
    """Return the gzipped body that tells ``spans``; ``about`` is the resource's attributes."""
    scope = trace.ScopeSpans(
        scope=common.InstrumentationScope(name=SCOPE, version=version),
        spans=[_span(each) for each in spans],
    )
    whole = trace.ResourceSpans(
        resource=resource.Resource(attributes=_attributes(about)), scope_spans=[scope]
    )
    request = service.ExportTraceServiceRequest(resource_spans=[whole])
    return gzip.compress(request.SerializeToString(), _LEVEL, mtime=0)


def rejected(body: bytes) -> tuple[int, str]:
    """Return how many spans a receiver says that it did not take, and why."""
    try:
        said = service.ExportTraceServiceResponse.FromString(body).partial_success
    except Exception:  # noqa: BLE001 - protobuf's own errors differ by its implementation
        return 0, ""  # not ours to understand: the status says that it was taken
    return max(0, said.rejected_spans), said.error_message


def _span(span: Span) -> trace.Span:
    flags = _SAMPLED if span.is_sampled else 0
    flags |= _KNOWS_REMOTE | (_IS_REMOTE if span.is_remote_parent else 0)
    made = trace.Span(
        trace_id=bytes.fromhex(span.trace_id),
        span_id=bytes.fromhex(span.span_id),
        parent_span_id=bytes.fromhex(span.parent_id),
        flags=flags,
        name=span.name,
        kind=_KINDS[span.kind],
        start_time_unix_nano=span.started_us * 1_000,
        end_time_unix_nano=span.ended_us * 1_000,
        attributes=_attributes(span.attributes),
        events=[_event(each) for each in span.events],
    )
    if span.failure:
        made.status.CopyFrom(_FAILED)
        made.status.message = span.failure
    return made


def _event(event: SpanEvent) -> trace.Span.Event:
    return trace.Span.Event(
        time_unix_nano=event.at_us * 1_000,
        name=event.name,
        attributes=_attributes(event.attributes),
    )


def _attributes(values: Mapping[str, Value]) -> list[common.KeyValue]:
    return [common.KeyValue(key=key, value=_value(value)) for key, value in values.items()]


def _value(value: Value) -> common.AnyValue:
    if isinstance(value, bool):
        return common.AnyValue(bool_value=value)
    if isinstance(value, int):
        return common.AnyValue(int_value=value)
    if isinstance(value, float):
        return common.AnyValue(double_value=value)
    if isinstance(value, str):
        return common.AnyValue(string_value=_text(value))
    return common.AnyValue(
        array_value=common.ArrayValue(
            values=[common.AnyValue(string_value=_text(one)) for one in value]
        )
    )


def _text(value: str) -> str:
    """Return text that protobuf takes: no lone surrogates, and of bounded length."""
    return value[:LONGEST].encode("utf-8", "replace").decode()
