"""Spans as bytes, read back with the messages that receivers use."""

import gzip

from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service
from opentelemetry.proto.trace.v1 import trace_pb2 as trace

from steadyhand.telemetry.traces.encoding import LONGEST, encode, rejected
from steadyhand.telemetry.traces.span import Span, SpanEvent, Value

EVENT = SpanEvent("steadyhand.spoke", 1_500, {"steadyhand.rung": "live"})
SPAN = Span(
    name="chat support",
    kind="server",
    trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
    span_id="00f067aa0ba902b7",
    parent_id="",
    started_us=1_000,
    ended_us=2_000,
    attributes={"text": "a", "flag": True, "count": 7, "part": 0.5, "many": ("x", "y")},
    events=(EVENT,),
)


def read(body: bytes) -> trace.ResourceSpans:
    request = service.ExportTraceServiceRequest.FromString(gzip.decompress(body))
    found: list[trace.ResourceSpans] = [*request.resource_spans]
    assert len(found) == 1
    return found[0]


def spans(*made: Span) -> list[trace.Span]:
    (scope,) = read(encode(made, {"service.name": "house"}, "1.2.3")).scope_spans
    assert (scope.scope.name, scope.scope.version) == ("steadyhand", "1.2.3")
    return list(scope.spans)


def test_what_is_sent_is_what_was_made() -> None:
    (span,) = spans(SPAN)
    assert (span.name, span.kind) == ("chat support", trace.Span.SPAN_KIND_SERVER)
    assert (span.trace_id.hex(), span.span_id.hex()) == (SPAN.trace_id, SPAN.span_id)
    assert span.parent_span_id == b""
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (1_000_000, 2_000_000)
    values = {each.key: each.value for each in span.attributes}
    assert values["text"].string_value == "a"
    assert values["flag"].WhichOneof("value") == "bool_value"
    assert values["count"].int_value == 7
    assert values["part"].double_value == 0.5
    assert [one.string_value for one in values["many"].array_value.values] == ["x", "y"]
    (event,) = span.events
    assert (event.name, event.time_unix_nano) == ("steadyhand.spoke", 1_500_000)
    assert event.attributes[0].value.string_value == "live"
    assert span.status.code == trace.Status.STATUS_CODE_UNSET


def test_the_resource_says_who_sends() -> None:
    about = read(encode([SPAN], {"service.name": "house"}, "1")).resource.attributes
    assert [(each.key, each.value.string_value) for each in about] == [("service.name", "house")]


def test_kinds_flags_and_failures_are_told() -> None:
    parent = "00f067aa0ba902b7"
    client = SPAN._replace(kind="client", parent_id=parent, failure="gave_up", is_sampled=False)
    first, second = spans(SPAN._replace(kind="internal", is_remote_parent=True), client)
    assert (first.kind, first.flags) == (trace.Span.SPAN_KIND_INTERNAL, 0x301)
    assert (second.kind, second.flags) == (trace.Span.SPAN_KIND_CLIENT, 0x100)
    assert second.parent_span_id.hex() == parent
    assert second.status.code == trace.Status.STATUS_CODE_ERROR
    assert second.status.message == "gave_up"


def test_values_of_strangers_are_bounded_and_always_text() -> None:
    hostile: dict[str, Value] = {"a": "x" * 100_000, "b": "\udcff", "c": "\0"}
    (span,) = spans(SPAN._replace(attributes=hostile))
    assert [each.value.string_value for each in span.attributes] == ["x" * LONGEST, "?", "\0"]


def test_the_same_spans_are_the_same_bytes() -> None:
    assert encode([SPAN], {}, "1") == encode([SPAN], {}, "1")


def test_what_a_receiver_did_not_take_is_read() -> None:
    partly = service.ExportTraceServiceResponse()
    partly.partial_success.rejected_spans = 3
    partly.partial_success.error_message = "too old"
    assert rejected(partly.SerializeToString()) == (3, "too old")
    assert rejected(b"") == (0, "")
    assert rejected(b"<html>not protobuf") == (0, "")
