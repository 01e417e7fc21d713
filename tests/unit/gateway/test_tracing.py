"""What others are told of a trace: providers of their attempt, callers of their answer."""

import pytest

from steadyhand.core import trace_context
from steadyhand.core.trace_context import TraceParent
from steadyhand.gateway.tracing import Tracing
from steadyhand.records.record import Attempt, Record, parent_of, trace_id
from tests.support.gateways import GatewayBench, gateway_bench
from tests.support.upstreams import answers, refuses

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
THEIRS = f"00-{TRACE}-{SPAN}-01".encode()
ON = Tracing(is_on=True)


def told(bench: GatewayBench, provider: str) -> TraceParent:
    (call,) = bench.providers[provider].calls
    found = trace_context.parse(dict(call.headers)[b"traceparent"])
    assert found is not None
    return found


def span_of(record: Record, attempt: Attempt) -> str:
    return trace_context.attempt_span_id(
        record.request_id, attempt.provider, attempt.model, attempt.region, attempt.started_us
    )


async def test_each_attempt_tells_its_own_span_in_the_clients_trace() -> None:
    bench = gateway_bench({"first": [refuses(500)], "second": [answers()]}, tracing=ON)
    reply = await bench.ask(headers={b"traceparent": THEIRS, b"tracestate": b"a=b"})
    record = bench.record()
    first, second = told(bench, "first"), told(bench, "second")
    assert {first.trace_id, second.trace_id, trace_id(record)} == {TRACE}
    assert [first.span_id, second.span_id] == [span_of(record, one) for one in record.attempts]
    assert dict(bench.providers["second"].calls[0].headers)[b"tracestate"] == b"a=b"
    assert record.traceparent.encode() == THEIRS
    answer = trace_context.parse(reply.headers[b"traceparent"])
    own = trace_context.request_span_id(record.request_id)
    assert answer == TraceParent(TRACE, own, is_sampled=True)


async def test_a_client_that_keeps_nothing_is_believed() -> None:
    bench = gateway_bench({"first": [answers()]}, tracing=ON)
    await bench.ask(headers={b"traceparent": THEIRS[:-1] + b"0"})
    assert not told(bench, "first").is_sampled


@pytest.mark.parametrize("sent", [b"", b"nonsense", THEIRS.upper(), THEIRS + b"-x", b"\xff" * 55])
async def test_what_is_hostile_begins_a_trace_of_ours(sent: bytes) -> None:
    bench = gateway_bench({"first": [answers()]}, tracing=ON)
    reply = await bench.ask(headers={b"traceparent": sent, b"tracestate": b"a=b"})
    assert reply.status == 200
    record = bench.record()
    assert (record.traceparent, parent_of(record)) == ("", None)
    assert told(bench, "first").trace_id == trace_context.own_trace_id(record.request_id)
    names = [name for name, _ in bench.providers["first"].calls[0].headers]
    assert names == [b"traceparent"], "a state without its trace is nobody's"


@pytest.mark.parametrize(("percent", "is_sampled"), [(100.0, True), (0.0, False)])
async def test_providers_hear_whether_it_is_kept(percent: float, is_sampled: bool) -> None:
    bench = gateway_bench({"first": [answers()]}, tracing=Tracing(True, percent))
    await bench.ask()
    assert told(bench, "first").is_sampled is is_sampled


async def test_errors_tell_their_trace_too() -> None:
    bench = gateway_bench({"first": [answers()]}, tracing=ON)
    reply = await bench.ask(token=b"nobody's")
    found = trace_context.parse(reply.headers[b"traceparent"])
    assert reply.status == 401
    assert found is not None
    assert found.trace_id == trace_id(bench.record())


async def test_without_traces_nothing_is_added_and_the_clients_headers_go_on() -> None:
    bench = gateway_bench({"first": [answers()]})
    reply = await bench.ask(headers={b"traceparent": THEIRS, b"tracestate": b"a=b"})
    (call,) = bench.providers["first"].calls
    assert call.headers == ((b"traceparent", THEIRS), (b"tracestate", b"a=b"))
    assert b"traceparent" not in reply.headers
    assert bench.record().traceparent.encode() == THEIRS
