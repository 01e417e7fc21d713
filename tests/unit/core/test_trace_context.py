"""W3C trace context, and ids that are made of a request's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.core import trace_context
from steadyhand.core.trace_context import TraceParent

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01".encode()


def test_what_is_written_is_read_again() -> None:
    parent = TraceParent(TRACE, SPAN, is_sampled=True)
    assert trace_context.parse(GOOD) == parent
    assert parent.text.encode() == GOOD
    not_kept = trace_context.header(TRACE, SPAN, is_sampled=False)
    assert trace_context.parse(not_kept) == TraceParent(TRACE, SPAN, is_sampled=False)


@pytest.mark.parametrize(
    ("sent", "is_sampled"),
    [
        (f"00-{TRACE}-{SPAN}-00".encode(), False),
        (f"00-{TRACE}-{SPAN}-03".encode(), True),  # the flag for random ids is set too
        (f"00-{TRACE}-{SPAN}-fe".encode(), False),
        (f"cc-{TRACE}-{SPAN}-01".encode(), True),  # a later version, read as this one
        (f"cc-{TRACE}-{SPAN}-01-what-it-adds".encode(), True),
    ],
)
def test_flags_and_later_versions_are_read(sent: bytes, is_sampled: bool) -> None:
    assert trace_context.parse(sent) == TraceParent(TRACE, SPAN, is_sampled)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"00",
        GOOD.upper(),
        GOOD + b" ",
        b" " + GOOD,
        GOOD + b"\n",
        GOOD + b"-more",  # version 00 has no more
        b"ff" + GOOD[2:],
        b"cc" + GOOD[2:] + b"more",
        b"cc" + GOOD[2:] + b"-" + b"x" * 300,
        f"00-{'0' * 32}-{SPAN}-01".encode(),
        f"00-{TRACE}-{'0' * 16}-01".encode(),
        f"00-{TRACE}-{SPAN}-1".encode(),
        f"00-{TRACE[:-1]}g-{SPAN}-01".encode(),
        f"00-{TRACE}-{SPAN}".encode(),
        f"00_{TRACE}_{SPAN}_01".encode(),
        b"\xff" * 55,
        b"0" * 100_000,
    ],
)
def test_what_is_not_of_the_form_is_nothing(sent: bytes) -> None:
    assert trace_context.parse(sent) is None


@given(st.binary(max_size=120))
def test_no_bytes_are_an_error(sent: bytes) -> None:
    found = trace_context.parse(sent)
    assert found is None or trace_context.parse(found.text.encode()) == found


def test_ids_are_those_of_the_request_and_of_nothing_else() -> None:
    one, two = "req_0001", "req_0002"
    assert trace_context.own_trace_id(one) == trace_context.own_trace_id(one)
    attempts = {
        trace_context.attempt_span_id(request, provider, "m", region, began)
        for request in (one, two)
        for provider in ("a", "b")
        for region in ("", "eu")
        for began in (0, 17)
    }
    spans = {trace_context.request_span_id(one), trace_context.request_span_id(two)}
    assert len(attempts | spans) == 18
    assert {len(each) for each in attempts | spans} == {16}
    assert len(trace_context.own_trace_id(one)) == 32


def test_traces_are_drawn_by_their_id() -> None:
    ids = [trace_context.own_trace_id(f"req_{number}") for number in range(4_000)]
    assert all(trace_context.is_drawn(each, 100) for each in ids)
    assert not any(trace_context.is_drawn(each, 0) for each in ids)
    drawn = {each for each in ids if trace_context.is_drawn(each, 10)}
    assert 300 < len(drawn) < 500
    assert drawn <= {each for each in ids if trace_context.is_drawn(each, 25)}
    # OpenTelemetry's own example of a threshold: 10 % is e6666666666666, here to 53 bits
    edge = "0" * 18
    assert trace_context.is_drawn(edge + "e6666666666668", 10)
    assert not trace_context.is_drawn(edge + "e6666666666658", 10)
