"""Spans as bytes, read back with the messages that receivers use."""

import gzip

from hypothesis import given
from hypothesis import strategies as st
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


VALUES = st.one_of(
    st.text(max_size=300),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.lists(st.text(max_size=20), max_size=4).map(tuple),
)


@given(st.dictionaries(st.text(min_size=1, max_size=200), VALUES, max_size=8))
def test_any_values_are_read_as_they_were_written(values: dict[str, Value]) -> None:
    event = SpanEvent("happened", 7, values)
    (span,) = spans(SPAN._replace(attributes=values, events=(event,)))
    expected = {
        key: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
        for key, value in values.items()
    }
    for found in (span.attributes, span.events[0].attributes):
        read_again = {}
        for each in found:
            kind = each.value.WhichOneof("value")
            value = getattr(each.value, kind)
            if kind == "array_value":
                value = tuple(one.string_value for one in value.values)
            read_again[each.key] = value
        assert read_again == expected
    assert spans(SPAN) == spans(SPAN)


@given(st.integers(0, 2**63 - 1), st.text(max_size=300))
def test_any_rejection_is_read(count: int, message: str) -> None:
    said = service.ExportTraceServiceResponse()
    said.partial_success.rejected_spans = count
    said.partial_success.error_message = message
    assert rejected(said.SerializeToString()) == (count, message)


@given(st.binary(max_size=60))
def test_no_answer_is_an_error(body: bytes) -> None:
    count, message = rejected(body)
    assert count >= 0
    assert isinstance(message, str)


def test_odd_answers_say_nothing() -> None:
    below_zero = service.ExportTraceServiceResponse()
    below_zero.partial_success.rejected_spans = -1
    assert rejected(below_zero.SerializeToString()) == (0, "")
    assert rejected(b"\x08\x01\x12\x01x") == (0, ""), "fields of a later version"
    assert rejected(b"\x0a\x05\x18\x01\x22\x01x") == (0, "")
    assert rejected(b"\x0a\x06\x0a\x01x\x10\x01\x18\x01") == (0, "")
    assert rejected(b"\x0a\x7f") == (0, ""), "cut off"
    assert rejected(b"\xff" * 12) == (0, ""), "a number without an end"
