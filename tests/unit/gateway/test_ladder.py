"""Rungs in order under one deadline, then a floor that is honest about what it may say."""

from time import monotonic
from typing import Any

import pytest

from steadyhand.http.failures import (
    ConnectFailed,
    ConnectionLost,
    FirstByteTimedOut,
    IdleTimedOut,
    PoolExhausted,
)
from steadyhand.routing.model import SloClass
from steadyhand.routing.rungs.base import FloorRung
from steadyhand.routing.rungs.schema import Schema
from steadyhand.routing.rungs.template import Template
from tests.support.chats import answer_body, chat_body, error_body, write
from tests.support.gateways import gateway_bench
from tests.support.upstreams import (
    HTML,
    SILENCE,
    Script,
    answers,
    breaks,
    hangs,
    refuses,
    streams,
)

SCHEMA = {"type": "object", "required": ["label"]}
TOOLS = [{"type": "function", "function": {"name": "f"}}]
WANTS_SCHEMA = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}
WANTS_OTHER = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "array"}}}
TEXT_FLOOR = Template("Back soon.")
SCHEMA_FLOOR = Schema(SCHEMA, {"label": "ham"})
QUICK = SloClass("quick", first_content_ms=400, whole_ms=400, stream_cap_ms=10_000)
HALF = answer_body()[:40]


async def test_the_first_rung_answers_and_says_so() -> None:
    bench = gateway_bench({"first": [answers()], "second": []})
    reply = await bench.ask()
    assert (reply.status, reply.body) == (200, answer_body())
    assert reply.headers[b"content-type"] == b"application/json"
    assert reply.headers[b"x-steadyhand-rung"] == b"live"
    assert reply.headers[b"x-steadyhand-reason"] == b"first_choice"
    assert reply.headers[b"x-steadyhand-deployment"] == b"first/first-model"
    assert reply.headers[b"x-steadyhand-release"].startswith(b"sha256:")


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (refuses(429, error_body("slow")), "rate_limited"),
        (refuses(500), "server_error"),
        (refuses(529), "overloaded"),
        (refuses(503, b"<html>", HTML), "overloaded"),
        (refuses(401, error_body("bad key")), "auth_failed"),
        (refuses(404), "model_not_found"),
        (Script(500, steps=(ConnectionLost("reset"),)), "server_error"),
        (Script(500, steps=(b"x" * 300_000,)), "server_error"),
        (breaks(ConnectFailed("refused")), "connect_failed"),
        (breaks(FirstByteTimedOut("late")), "first_byte_timeout"),
        (breaks(PoolExhausted("busy")), "pool_exhausted"),
        (breaks(ConnectionLost("reset")), "connection_lost"),
        (Script(200, steps=(HALF, ConnectionLost("reset"))), "connection_lost"),
        (Script(200, steps=(HALF, IdleTimedOut("silent"))), "idle_timeout"),
        (answers(HALF), "malformed"),
        (answers(b"<html>hello</html>", HTML), "malformed"),
        (answers(error_body("overloaded", type="server_error")), "server_error"),
        (answers(error_body("slow", code="rate_limit_exceeded")), "rate_limited"),
        (answers(error_body("no", type="invalid_request_error")), "invalid_request"),
        (answers(b'{"choices":[]}'), "malformed"),
        (answers(b'{"id":"x"}'), "malformed"),
        (answers(answer_body("caf\xe9").replace(b"\xc3\xa9", b"\xe9")), "malformed"),
        (answers(b"[" * 100_000), "malformed"),
        (Script(204), "malformed"),
    ],
)
async def test_the_second_rung_answers_for_the_first(script: Script, reason: str) -> None:
    bench = gateway_bench({"first": [script], "second": [answers(answer_body("From two"))]})
    reply = await bench.ask()
    assert (reply.status, reply.body) == (200, answer_body("From two"))
    assert reply.headers[b"x-steadyhand-reason"] == reason.encode()
    assert reply.headers[b"x-steadyhand-deployment"] == b"second/second-model"
    record = bench.record()
    assert (record.outcome, record.reason, record.provider) == ("answered", reason, "second")
    assert [(a.provider, a.reason) for a in record.attempts] == [
        ("first", reason),
        ("second", "ok"),
    ]


async def test_a_null_error_beside_choices_is_no_error() -> None:
    bench = gateway_bench({"first": [answers(answer_body(error=None))]})
    assert (await bench.ask()).status == 200


async def test_a_silent_rung_leaves_time_for_the_next() -> None:
    bench = gateway_bench({"first": [hangs()], "second": [answers()]}, slo=QUICK)
    reply = await bench.ask()
    assert reply.status == 200
    record = bench.record()
    assert record.reason == "gave_up"
    assert [(a.provider, a.reason) for a in record.attempts] == [
        ("first", "gave_up"),
        ("second", "ok"),
    ]
    first, second = record.attempts
    assert second.started_us < first.ended_us, "it is listened to for as long as nobody spoke"


async def test_a_rung_that_fails_at_once_leaves_its_share_to_the_next() -> None:
    bench = gateway_bench({"first": [refuses(500)], "second": [refuses(500)], "third": [answers()]})
    began_s = monotonic()
    assert (await bench.ask()).status == 200
    last_s = bench.providers["third"].limits[0].give_up_at_s - began_s
    assert last_s == pytest.approx(20, abs=2), "all that is left"


async def test_a_rung_may_have_a_limit_of_its_own() -> None:
    bench = gateway_bench({"first": [hangs()], "second": [answers()]}, give_up_ms={"first": 20.0})
    assert (await bench.ask()).status == 200
    assert [a.reason for a in bench.record().attempts] == ["gave_up", "ok"]


async def test_rungs_for_which_no_time_is_left_are_not_asked() -> None:
    bench = gateway_bench({"first": [], "second": []}, floor=TEXT_FLOOR)
    reply = await bench.ask(headers={b"x-steadyhand-deadline-ms": b"5"})
    assert reply.status == 200
    record = bench.record()
    assert [(a.provider, a.reason, a.status) for a in record.attempts] == [
        ("first", "no_time", 0),
        ("second", "no_time", 0),
    ]
    assert (record.outcome, record.reason) == ("floor", "no_time")


BAD_TEMPERATURE = error_body(
    "bad temperature", type="invalid_request_error", param="temperature", code="c"
)


@pytest.mark.parametrize("status", [400, 413, 415, 422])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_request_at_fault_gets_one_second_opinion_and_then_what_the_first_said(
    status: int, stream: bool
) -> None:
    """Another model may take what one refuses; a third is not bothered, and no floor speaks."""
    bench = gateway_bench(
        {
            "first": [refuses(status, BAD_TEMPERATURE)],
            "second": [refuses(400, error_body("me neither"))],
            "third": [],
        },
        floor=TEXT_FLOOR,
    )
    reply = await bench.ask(chat_body(stream=stream))
    assert (reply.status, reply.body) == (status, BAD_TEMPERATURE)
    assert reply.headers[b"content-type"] == b"application/json"
    record = bench.record()
    assert (record.outcome, record.status, record.rung) == ("rejected", status, "")
    assert [(a.provider, a.status) for a in record.attempts] == [("first", status), ("second", 400)]


async def test_what_one_model_refuses_another_may_answer() -> None:
    bench = gateway_bench(
        {"first": [refuses(400, BAD_TEMPERATURE)], "second": [answers(answer_body())]}
    )
    reply = await bench.ask(chat_body())
    assert reply.status == 200
    record = bench.record()
    assert (record.outcome, record.provider, record.reason) == (
        "answered",
        "second",
        "invalid_request",
    )


@pytest.mark.parametrize("second", [None, 500])
async def test_a_refusal_is_relayed_if_nobody_else_answers(second: int | None) -> None:
    others = {} if second is None else {"second": [refuses(second, b"")]}
    bench = gateway_bench({"first": [refuses(422, BAD_TEMPERATURE)], **others}, floor=TEXT_FLOOR)
    reply = await bench.ask(chat_body())
    assert (reply.status, reply.body) == (422, BAD_TEMPERATURE)
    assert bench.record().outcome == "rejected"


async def test_nobody_shops_for_a_laxer_filter() -> None:
    filtered = error_body("no", type="invalid_request_error", code="content_filter")
    bench = gateway_bench({"first": [refuses(400, filtered)], "second": []}, floor=TEXT_FLOOR)
    reply = await bench.ask(chat_body())
    assert reply.status == 400
    assert [a.reason for a in bench.record().attempts] == ["content_filter"]


@pytest.mark.parametrize(
    ("floor", "fields", "said"),
    [
        (TEXT_FLOOR, {}, "Back soon."),
        (TEXT_FLOOR, {"tools": []}, "Back soon."),
        (TEXT_FLOOR, {"response_format": {"type": "text"}}, "Back soon."),
        (SCHEMA_FLOOR, {"response_format": WANTS_SCHEMA}, '{"label": "ham"}'),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_the_floor_answers_when_no_rung_does(
    floor: FloorRung, fields: dict[str, Any], said: str, stream: bool
) -> None:
    bench = gateway_bench({"first": [refuses(500)], "second": [refuses(429)]}, floor=floor)
    reply = await bench.ask(chat_body(stream=stream, **fields))
    assert reply.status == 200
    assert reply.has_ended
    assert reply.headers[b"x-steadyhand-rung"] == floor.kind.encode()
    assert reply.headers[b"x-steadyhand-reason"] == b"rate_limited"
    assert b"x-steadyhand-deployment" not in reply.headers
    assert write(said) in reply.body
    assert reply.body.endswith(b"data: [DONE]\n\n") is stream
    record = bench.record()
    assert (record.outcome, record.rung, record.provider) == ("floor", floor.kind, "")
    assert (record.input_tokens, record.output_tokens) == (0, 0)
    assert record.in_time


@pytest.mark.parametrize(
    ("floor", "fields"),
    [
        (None, {}),
        (TEXT_FLOOR, {"tools": TOOLS}),
        (TEXT_FLOOR, {"functions": [{"name": "f"}]}),
        (TEXT_FLOOR, {"response_format": WANTS_SCHEMA}),
        (TEXT_FLOOR, {"response_format": {"type": "json_object"}}),
        (SCHEMA_FLOOR, {}),
        (SCHEMA_FLOOR, {"response_format": WANTS_OTHER}),
        (SCHEMA_FLOOR, {"response_format": {"type": "json_schema"}}),
        (SCHEMA_FLOOR, {"response_format": WANTS_SCHEMA, "tools": TOOLS}),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_floor_that_may_not_answer_is_a_typed_503(
    floor: FloorRung | None, fields: dict[str, Any], stream: bool
) -> None:
    bench = gateway_bench({"first": [refuses(500)]}, floor=floor)
    reply = await bench.ask(chat_body(stream=stream, **fields))
    assert reply.status == 503
    error = reply.json()["error"]
    assert (error["type"], error["code"], error["param"]) == ("server_error", "no_answer", None)
    assert (reply.headers[b"retry-after"], reply.headers[b"retry-after-ms"]) == (b"1", b"1000")
    record = bench.record()
    assert (record.outcome, record.reason, record.rung) == ("failed", "server_error", "error")


async def test_without_rungs_the_floor_speaks_at_once() -> None:
    bench = gateway_bench({}, floor=TEXT_FLOOR)
    assert (await bench.ask()).status == 200
    assert (bench.record().outcome, bench.record().reason) == ("floor", "no_rung")


async def test_without_rungs_an_error_floor_has_failed_and_not_refused() -> None:
    bench = gateway_bench({})
    assert (await bench.ask()).status == 503
    assert (bench.record().outcome, bench.record().reason) == ("failed", "no_rung")


@pytest.mark.parametrize(
    ("headers", "retry_after"),
    [
        ({b"retry-after": b"7"}, b"7"),
        ({b"retry-after-ms": b"1500"}, b"2"),
        ({}, b"1"),  # a 429 always says how long to wait
    ],
)
async def test_an_error_floor_relays_a_rate_limit_with_its_wait(
    headers: dict[bytes, bytes], retry_after: bytes
) -> None:
    said = error_body("slow down", type="requests", code="rate_limit_exceeded")
    bench = gateway_bench({"first": [refuses(429, said, headers)]})
    reply = await bench.ask()
    assert (reply.status, reply.body) == (429, said)
    assert reply.headers.get(b"retry-after") == retry_after
    record = bench.record()
    assert (record.outcome, record.reason, record.status) == ("failed", "rate_limited", 429)


async def test_a_wait_that_the_provider_asked_for_is_kept_in_our_own_error() -> None:
    bench = gateway_bench({"first": [refuses(503, headers={b"retry-after": b"30"})]})
    reply = await bench.ask()
    assert (reply.status, reply.headers[b"retry-after"]) == (503, b"30")


async def test_a_relayed_refusal_keeps_the_providers_rate_limits_and_request_is_named() -> None:
    upstream = {b"x-ratelimit-remaining-requests": b"0", b"set-cookie": b"a=b", b"server": b"x"}
    bench = gateway_bench({"first": [refuses(429, headers=upstream)]})
    reply = await bench.ask(headers={b"x-request-id": b"mine"})
    assert reply.headers[b"x-ratelimit-remaining-requests"] == b"0"
    assert reply.headers[b"x-request-id"] == b"mine"
    assert not {b"set-cookie", b"server"} & reply.headers.keys()


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_our_own_dead_credential_is_not_the_callers(status: int) -> None:
    bench = gateway_bench({"first": [refuses(status, error_body("sk-live-123456789 is dead"))]})
    reply = await bench.ask()
    assert reply.status == 503
    assert b"sk-live" not in reply.body


async def test_the_deadline_holds_while_a_rung_drips() -> None:
    drip = Script(200, steps=(HALF, SILENCE))
    bench = gateway_bench(
        {"first": [drip], "second": [streams(SILENCE)]}, slo=QUICK, floor=TEXT_FLOOR
    )
    began_s = monotonic()
    reply = await bench.ask()
    assert reply.headers[b"x-steadyhand-rung"] == b"template"
    assert monotonic() - began_s < 5
