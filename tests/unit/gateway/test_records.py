"""Exactly one record for each request, and it tells what happened."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import time
from typing import Any

import pytest
from typing_extensions import override

from steadyhand.core.chat import Modality
from steadyhand.http.failures import ConnectFailed, ConnectionLost
from steadyhand.records.record import Outcome
from steadyhand.routing.rungs.base import FloorRung
from steadyhand.routing.rungs.template import Template
from tests.support.chats import USAGE, answer_body, chat_body, chunk, error_body, event, says, stops
from tests.support.gateways import NARROW_TOKEN, RELEASE, TOKEN, gateway_bench, request
from tests.support.replies import MemoryReply
from tests.support.upstreams import Script, answers, breaks, hangs, refuses, streams

HELLO = event(chunk(says("Hello"), usage=USAGE))
STREAM: dict[str, Any] = {"stream": True}
COUNTED = (12, 5, 8, 2)
NOTHING = (0, 0, 0, 0)
Scripts = Mapping[str, list[Script]]


@dataclass(frozen=True)
class Case:
    """A request, and the record that it must leave."""

    outcome: Outcome
    reason: str
    status: int
    scripts: Scripts = field(default_factory=dict)
    body: bytes = field(default_factory=chat_body)
    floor: FloorRung | None = None
    token: bytes = TOKEN
    reply: MemoryReply | None = None
    leaves: str = ""
    rung: str = ""
    provider: str = ""
    attempts: tuple[tuple[str, int, str], ...] = ()
    tokens: tuple[int, int, int, int] = NOTHING
    finish_reason: str = ""


OK = {"first": [answers()]}
OK_ATTEMPT = ("first", 200, "ok")
DOWN = ("first", 500, "server_error")
SPOKE: dict[str, Any] = {"rung": "live", "provider": "first"}
CASES = {
    "answered": Case(
        "answered",
        "first_choice",
        200,
        OK,
        **SPOKE,
        attempts=(OK_ATTEMPT,),
        tokens=COUNTED,
        finish_reason="stop",
    ),
    "answered, no usage": Case(
        "answered",
        "first_choice",
        200,
        {"first": [answers(answer_body(usage=None))]},
        **SPOKE,
        attempts=(OK_ATTEMPT,),
        finish_reason="stop",
    ),
    "answered, usage without details": Case(
        "answered",
        "first_choice",
        200,
        {"first": [answers(answer_body(usage={"prompt_tokens": 3, "completion_tokens": None}))]},
        **SPOKE,
        attempts=(OK_ATTEMPT,),
        tokens=(3, 0, 0, 0),
        finish_reason="stop",
    ),
    "answered, stream": Case(
        "answered",
        "first_choice",
        200,
        {"first": [streams()]},
        chat_body(**STREAM),
        **SPOKE,
        attempts=(OK_ATTEMPT,),
        tokens=COUNTED,
        finish_reason="stop",
    ),
    "answered by the second": Case(
        "answered",
        "server_error",
        200,
        {"first": [refuses(500)], "second": [answers()]},
        rung="live",
        provider="second",
        attempts=(DOWN, ("second", 200, "ok")),
        tokens=COUNTED,
        finish_reason="stop",
    ),
    "floor": Case(
        "floor",
        "connect_failed",
        200,
        {"first": [refuses(500)], "second": [breaks(ConnectFailed("refused"))]},
        floor=Template("Back soon."),
        rung="template",
        attempts=(DOWN, ("second", 0, "connect_failed")),
        finish_reason="stop",
    ),
    "failed": Case(
        "failed", "server_error", 503, {"first": [refuses(500)]}, rung="error", attempts=(DOWN,)
    ),
    "failed, relayed": Case(
        "failed",
        "rate_limited",
        429,
        {"first": [refuses(429)]},
        rung="error",
        attempts=(("first", 429, "rate_limited"),),
    ),
    "rejected by the provider": Case(
        "rejected",
        "context_length_exceeded",
        400,
        {
            "first": [refuses(400, error_body("long", code="context_length_exceeded"))],
            "second": [refuses(500, b"")],
        },
        attempts=(("first", 400, "context_length_exceeded"), ("second", 500, "server_error")),
    ),
    "rejected: body": Case("rejected", "invalid_json", 400, body=b"{"),
    "rejected: key": Case("rejected", "invalid_api_key", 401, token=b"sk-unknown"),
    "rejected: route": Case("rejected", "route_forbidden", 403, token=NARROW_TOKEN),
    "rejected: model": Case("rejected", "model_not_found", 404, body=chat_body("none")),
    "truncated": Case(
        "truncated",
        "connection_lost",
        200,
        {"first": [streams(HELLO, ConnectionLost("reset"))]},
        chat_body(**STREAM),
        **SPOKE,
        attempts=(("first", 200, "connection_lost"),),
        tokens=COUNTED,
    ),
    "truncated: no [DONE]": Case(
        "truncated",
        "truncated",
        200,
        {"first": [streams(HELLO, event(chunk(stops("length"))))]},
        chat_body(**STREAM),
        **SPOKE,
        attempts=(("first", 200, "truncated"),),
        tokens=COUNTED,
        finish_reason="length",
    ),
    "client gone before a status": Case(
        "client_gone",
        "client_gone",
        499,
        {"first": [refuses(500)], "second": [hangs()]},
        leaves="second",
        attempts=(DOWN, ("second", 0, "client_gone")),
    ),
    "client gone within a stream": Case(
        "client_gone",
        "client_gone",
        200,
        {"first": [streams(HELLO, HELLO)]},
        chat_body(**STREAM),
        reply=MemoryReply(leaves_after=1),
        **SPOKE,
        attempts=(("first", 200, "client_gone"),),
        tokens=COUNTED,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_one_record_tells_how_a_request_ended(case: Case) -> None:
    bench = gateway_bench(case.scripts, floor=case.floor)
    waiting = bench.providers[case.leaves].waiting if case.leaves else None
    before_us = time() * 1e6
    reply = await bench.ask(case.body, token=case.token, reply=case.reply, leaves_when=waiting)
    record = bench.record()
    assert (record.outcome, record.reason, record.status) == (
        case.outcome,
        case.reason,
        case.status,
    )
    assert (record.rung, record.provider) == (case.rung, case.provider)
    assert record.model == (f"{case.provider}-model" if case.provider else "")
    assert tuple((a.provider, a.status, a.reason) for a in record.attempts) == case.attempts
    counted = (
        record.input_tokens,
        record.output_tokens,
        record.cached_tokens,
        record.reasoning_tokens,
    )
    assert counted == case.tokens
    assert record.finish_reason == case.finish_reason

    assert reply.status in (record.status, 0)
    assert (record.request_bytes, record.response_bytes) == (len(case.body), len(reply.body))
    assert (record.wire, record.process, record.release) == ("chat", 3, RELEASE)
    assert abs(record.received_us - before_us) < 60e6
    times = [time_us for a in record.attempts for time_us in (a.started_us, a.ended_us)]
    assert [0, *times, record.total_us] == sorted([0, *times, record.total_us])
    assert 0 <= record.first_content_us <= record.total_us


@pytest.mark.parametrize(
    ("fields", "has_tools", "has_schema"),
    [
        ({}, False, False),
        ({"tools": []}, False, False),
        ({"tools": [{"type": "function"}]}, True, False),
        ({"functions": [{"name": "f"}]}, True, False),
        ({"response_format": {"type": "text"}}, False, False),
        ({"response_format": {"type": "json_object"}}, False, False),
        ({"response_format": {"type": "json_schema"}}, False, True),
        ({"response_format": {"type": "json_schema"}, "tools": [{}]}, True, True),
    ],
)
@pytest.mark.parametrize("model", ["assistant", "none"])
async def test_a_record_says_what_kind_of_answer_was_asked_for(
    fields: dict[str, Any], has_tools: bool, has_schema: bool, model: str
) -> None:
    bench = gateway_bench(OK)
    await bench.ask(chat_body(model, **fields))
    record = bench.record()
    assert (record.has_tools, record.has_schema) == (has_tools, has_schema)


async def test_a_record_names_the_class_and_whether_it_was_met() -> None:
    bench = gateway_bench({"first": [hangs()]})
    await bench.ask(headers={b"x-steadyhand-deadline-ms": b"30"})
    record = bench.record()
    assert (record.slo, record.route) == ("patient", "assistant")
    assert record.budget_us == pytest.approx(30_000, abs=2)
    assert record.total_us > 15_000


async def test_an_answer_after_the_budget_was_not_in_time() -> None:
    bench = gateway_bench({"first": []}, floor=Template("Back soon."))
    late = request(headers={b"x-steadyhand-deadline-ms": b"500"})
    late.received_s -= 1
    await bench.gateway.handle(late, MemoryReply())
    record = bench.record()
    assert not record.in_time
    assert (record.outcome, record.reason) == ("floor", "no_time")
    assert record.total_us > 1_000_000


async def test_a_stream_is_in_time_if_its_first_content_was() -> None:
    class SlowReader(MemoryReply):
        @override
        async def drain(self) -> None:
            await asyncio.sleep(0.2)

    bench = gateway_bench({"first": [streams(HELLO, event(chunk(stops())), b"data: [DONE]\n\n")]})
    headers = {b"x-steadyhand-deadline-ms": b"350"}
    await bench.ask(chat_body(**STREAM), headers, reply=SlowReader())
    record = bench.record()
    assert record.in_time
    assert record.first_content_us < record.budget_us < record.total_us


class Broken(Template):
    """A floor with a bug."""

    @override
    def speak(self, modality: Modality, schema: bytes | None) -> str:
        raise ZeroDivisionError("a bug")


async def test_a_bug_reaches_the_server_and_leaves_a_record() -> None:
    bench = gateway_bench({}, floor=Broken("x"))
    with pytest.raises(ZeroDivisionError):
        await bench.ask()
    record = bench.record()
    assert (record.outcome, record.reason, record.status) == ("failed", "internal_error", 500)
    assert bench.gateway.serving.users == 0


async def test_a_bug_after_the_first_byte_is_no_answer() -> None:
    class BreaksOff(MemoryReply):
        @override
        def end(self) -> None:
            raise ZeroDivisionError("a bug")

    bench = gateway_bench({"first": [streams()]})
    with pytest.raises(ZeroDivisionError):
        await bench.ask(chat_body(**STREAM), reply=BreaksOff())
    record = bench.record()
    assert (record.outcome, record.reason, record.status) == ("failed", "internal_error", 200)


async def test_each_request_has_a_record_of_its_own() -> None:
    bench = gateway_bench({"first": [answers(), refuses(500), answers()]})
    for _ in range(3):
        await bench.ask()
    await bench.ask(b"{")
    ids = [record.request_id for record in bench.records]
    assert [record.outcome for record in bench.records] == [
        "answered", "failed", "answered", "rejected"
    ]  # fmt: skip
    assert ids == sorted(set(ids))
    assert bench.gateway.serving.users == 0
