"""The commit boundary: until content everything can be mended, after it everything is said."""

import asyncio
from math import inf

import pytest

from steadyhand.gateway.send import TAIL_S
from steadyhand.http.failures import (
    ConnectionLost,
    GaveUp,
    IdleTimedOut,
    TotalTimedOut,
    UpstreamError,
)
from tests.support.chats import (
    DONE,
    USAGE,
    begins,
    chat_body,
    chunk,
    error_body,
    event,
    says,
    stops,
    text_events,
)
from tests.support.gateways import gateway_bench
from tests.support.replies import MemoryReply
from tests.support.upstreams import (
    HTML,
    JSON,
    SILENCE,
    Script,
    Step,
    answers,
    breaks,
    refuses,
    streams,
)

STREAM = chat_body(stream=True)
WITH_USAGE = chat_body(stream=True, stream_options={"include_usage": True})
ROLE = event(chunk(begins()))
HELLO = event(chunk(says("Hello")))
STOP = event(chunk(stops()))


@pytest.mark.parametrize(("body", "with_usage"), [(STREAM, False), (WITH_USAGE, True)])
async def test_a_whole_stream_is_relayed_as_it_came(body: bytes, with_usage: bool) -> None:
    bench = gateway_bench({"first": [streams(*text_events("Hel", "lo"))]})
    reply = await bench.ask(body)
    assert reply.status == 200
    assert reply.body == b"".join(text_events("Hel", "lo", with_usage=with_usage))
    assert reply.has_ended
    assert reply.headers[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert reply.headers[b"cache-control"] == b"no-cache"
    assert reply.headers[b"x-steadyhand-rung"] == b"live"
    record = bench.record()
    assert (record.outcome, record.reason, record.finish_reason) == (
        "answered",
        "first_choice",
        "stop",
    )
    assert (record.input_tokens, record.output_tokens) == (12, 5)
    assert (record.cached_tokens, record.reasoning_tokens) == (8, 2)
    assert record.served_model == "m-2026"
    assert record.response_bytes == len(reply.body)
    assert 0 < record.first_content_us <= record.total_us


async def test_every_event_leaves_at_once() -> None:
    events = text_events("a", "b", "c", with_usage=False)
    bench = gateway_bench({"first": [streams(*events)]})
    reply = await bench.ask(STREAM)
    assert reply.writes == [b"".join(events[:2]), *events[2:]]


async def test_a_stream_that_comes_in_one_read_is_the_same() -> None:
    wire = b"".join(text_events("Hello", with_usage=False))
    bench = gateway_bench({"first": [streams(wire)]})
    assert (await bench.ask(STREAM)).body == wire


async def test_an_empty_answer_is_an_answer() -> None:
    bench = gateway_bench({"first": [streams(ROLE, STOP, DONE)]})
    reply = await bench.ask(STREAM)
    assert reply.body == ROLE + STOP + DONE
    assert bench.record().outcome == "answered"


async def test_once_it_speaks_a_stream_is_not_held_to_the_budget_any_more() -> None:
    bench = gateway_bench({"first": [streams()]})
    await bench.ask(STREAM)
    (upstream,) = bench.providers["first"].replies
    assert upstream.gave_up_ats[0] == inf
    assert len(upstream.gave_up_ats) == 2, "and then the end of its body has a moment to come"
    assert TAIL_S < 1


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (refuses(429), "rate_limited"),
        (breaks(ConnectionLost("reset")), "connection_lost"),
        (streams(ROLE, ConnectionLost("reset")), "connection_lost"),
        (streams(ROLE, b": keep-alive\n\n", IdleTimedOut("silent")), "idle_timeout"),
        (streams(ROLE), "truncated"),
        (streams(ROLE, b"data: {"), "truncated"),
        (streams(b""), "truncated"),
        (streams(DONE), "truncated"),
        (streams(ROLE, DONE), "truncated"),
        (streams(ROLE, b"data: <html>\n\n"), "malformed"),
        (streams(ROLE, event(error_body("no", type="server_error"))), "server_error"),
        (streams(event(error_body("slow", code="rate_limit_exceeded"))), "rate_limited"),
        (streams(HELLO + event(error_body("no", type="server_error"))), "server_error"),
        (streams(error_body("no", type="server_error"), headers=JSON), "server_error"),
        (streams(b"<html>\n\n<body>\n\n</html>", headers=HTML), "malformed"),
        (answers(), "malformed"),
        (streams(HTML[b"content-type"], headers={}), "malformed"),
    ],
)
async def test_until_content_another_rung_can_speak(script: Script, reason: str) -> None:
    bench = gateway_bench({"first": [script], "second": [streams(ROLE, HELLO, STOP, DONE)]})
    reply = await bench.ask(STREAM)
    assert reply.body == ROLE + HELLO + STOP + DONE, "something of the first one reached the client"
    assert reply.headers[b"x-steadyhand-reason"] == reason.encode()
    record = bench.record()
    assert (record.outcome, record.reason) == ("answered", reason)
    assert [(a.provider, a.reason) for a in record.attempts] == [
        ("first", reason),
        ("second", "ok"),
    ]


async def test_headers_wait_for_content() -> None:
    bench = gateway_bench({"first": [streams(ROLE, SILENCE)]})
    reply = MemoryReply()
    await bench.ask(STREAM, reply=reply, leaves_when=bench.providers["first"].waiting)
    assert not reply.started


async def test_an_error_before_content_has_its_own_status() -> None:
    bench = gateway_bench({"first": [streams(ROLE, event(error_body("no")))]})
    reply = await bench.ask(STREAM)
    assert reply.status == 503
    assert reply.headers[b"content-type"] == b"application/json"


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ([ConnectionLost("reset")], "connection_lost"),
        ([IdleTimedOut("silent")], "idle_timeout"),
        ([TotalTimedOut("past the cap")], "total_timeout"),
        ([GaveUp("late")], "gave_up"),
        ([], "truncated"),
        ([STOP], "truncated"),
        ([DONE], "truncated"),
        ([b"data: {"], "truncated"),
        ([event(chunk(says("two", 1))), STOP, DONE], "truncated"),
        ([b"data: <html>\n\n", DONE], "malformed"),
        ([b'data: {"usage":1,"usage":2,"choices":[{"index":0}]}\n\n', DONE], "malformed"),
    ],
)
async def test_a_stream_that_breaks_off_says_so(steps: list[Step], reason: str) -> None:
    bench = gateway_bench({"first": [streams(ROLE, HELLO, *steps)], "second": []})
    reply = await bench.ask(STREAM)
    assert reply.status == 200
    assert reply.has_ended
    assert reply.body.startswith(ROLE + HELLO)
    assert DONE not in reply.body
    last = reply.body.split(b"\n\n")[-2]
    said = error_body(
        f"the answer was cut off before its end ({reason})",
        type="server_error",
        code="stream_truncated",
    )
    assert last + b"\n\n" == event(said)
    record = bench.record()
    assert (record.outcome, record.reason, record.status) == ("truncated", reason, 200)
    assert [(a.provider, a.reason, a.status) for a in record.attempts] == [("first", reason, 200)]
    assert record.provider == "first"


async def test_an_error_event_within_a_stream_is_passed_on() -> None:
    error = event(error_body("overloaded", type="server_error", code=None))
    bench = gateway_bench({"first": [streams(ROLE, HELLO, error, STOP, DONE)], "second": []})
    reply = await bench.ask(STREAM)
    assert reply.body == ROLE + HELLO + error
    record = bench.record()
    assert (record.outcome, record.reason) == ("truncated", "upstream_error_event")


async def test_a_truncated_stream_still_counts_what_it_cost() -> None:
    said = event(chunk(says("Hello"), usage=USAGE))
    bench = gateway_bench({"first": [streams(said, ConnectionLost("reset"))]})
    await bench.ask(STREAM)
    assert (bench.record().input_tokens, bench.record().output_tokens) == (12, 5)


async def test_after_the_last_byte_the_upstream_may_end_as_it_likes() -> None:
    late: list[UpstreamError] = [ConnectionLost("reset"), IdleTimedOut("silent")]
    for failure in late:
        bench = gateway_bench({"first": [streams(HELLO, STOP, DONE, failure)]})
        reply = await bench.ask(STREAM)
        assert reply.body == HELLO + STOP + DONE
        assert bench.record().outcome == "answered"


async def test_an_upstream_that_stays_open_is_cut_after_a_moment() -> None:
    bench = gateway_bench({"first": [streams(HELLO, STOP, DONE, SILENCE)]})
    reply = await asyncio.wait_for(bench.ask(STREAM), timeout=5)
    assert reply.body == HELLO + STOP + DONE
    assert bench.record().outcome == "answered"


@pytest.mark.parametrize("before", [1, 2, 3])
async def test_a_client_that_leaves_takes_the_upstream_with_it(before: int) -> None:
    events = text_events("a", "b", "c", "d", with_usage=False)
    bench = gateway_bench({"first": [streams(*events)], "second": []})
    reply = await bench.ask(STREAM, reply=MemoryReply(leaves_after=before))
    assert len(reply.writes) == before
    assert not reply.has_ended
    record = bench.record()
    assert (record.outcome, record.reason, record.status) == ("client_gone", "client_gone", 200)
    assert (record.rung, record.provider) == ("live", "first")
    assert [(a.provider, a.reason, a.status) for a in record.attempts] == [
        ("first", "client_gone", 200)
    ]


async def test_a_client_may_leave_with_the_last_byte() -> None:
    bench = gateway_bench({"first": [streams(HELLO, STOP, DONE, SILENCE)]})
    waiting = bench.providers["first"].waiting
    reply = await bench.ask(STREAM, leaves_when=waiting)
    assert reply.body == HELLO + STOP + DONE
    record = bench.record()
    assert (record.outcome, record.reason, record.status) == ("answered", "first_choice", 200)
    assert [(a.provider, a.reason) for a in record.attempts] == [("first", "ok")]
