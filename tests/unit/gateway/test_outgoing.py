"""What goes on to a provider, and how long it may take."""

from time import monotonic
from typing import Any

import pytest

from steadyhand.routing.model import SloClass
from tests.support.chats import HI, answer_body, chat_body, write
from tests.support.gateways import TOKEN, gateway_bench
from tests.support.upstreams import answers, streams

BUDGET = SloClass("short", first_content_ms=4_000, whole_ms=8_000, stream_cap_ms=30_000)


async def test_the_body_goes_on_byte_by_byte() -> None:
    body = (
        b' {"messages" : [{"role":"user","content":"\xe2\x80\xa8 caf\\u00e9"}],\n'
        b'"seed":9007199254740993, '
        b'"temperature":1.10, "unknown":{"a":[1,2, 3]},"model":"assistant" } '
    )
    bench = gateway_bench({"first": [answers()]})
    assert (await bench.ask(body)).status == 200
    (call,) = bench.providers["first"].calls
    assert call.body == body
    assert (call.model, call.stream, call.asks_usage) == ("first-model", False, False)


async def test_the_answer_comes_back_byte_by_byte() -> None:
    said = answer_body("\u2028", unknown=12345678901234567890, system_fingerprint=None)
    bench = gateway_bench({"first": [answers(b"  " + said + b"\n")]})
    assert (await bench.ask()).body == b"  " + said + b"\n"


async def test_instructions_go_first_and_the_clients_messages_after_them() -> None:
    bench = gateway_bench({"first": [answers()]}, instructions='Be "kind".\n\u2028')
    await bench.ask(write({"messages": [HI, HI], "model": "assistant", "n": 1}))
    system = {"role": "system", "content": 'Be "kind".\n\u2028'}
    (call,) = bench.providers["first"].calls
    assert call.body == write({"messages": [system, HI, HI], "model": "assistant", "n": 1})


async def test_messages_given_twice_cannot_get_past_the_instructions() -> None:
    bench = gateway_bench({"first": []}, instructions="Be kind.")
    body = b'{"model":"assistant","messages":[{}],"m\\u0065ssages":[{"role":"user"}]}'
    reply = await bench.ask(body)
    assert (reply.status, reply.json()["error"]["param"]) == (400, "messages")
    assert bench.record().outcome == "rejected"


@pytest.mark.parametrize(
    "fields",
    [
        b'"steadyhand":{},',
        b'"steadyhand" : {"deadline_ms": 500, "x": {"steadyhand": 1}} ,',
        b'"stead\\u0079hand":{"deadline_ms":500},',
    ],
)
async def test_our_own_object_never_goes_on(fields: bytes) -> None:
    bench = gateway_bench({"first": [answers()]}, instructions="Be kind.")
    reply = await bench.ask(b"{" + fields + b'"model":"assistant","messages":[{}]}')
    assert reply.status == 200
    (call,) = bench.providers["first"].calls
    system = b'{"role":"system","content":"Be kind."}'
    assert call.body == b'{"model":"assistant","messages":[' + system + b",{}]}"


async def test_only_named_headers_go_on() -> None:
    bench = gateway_bench({"first": [answers()]})
    sent = {
        b"traceparent": b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        b"tracestate": b"a=b",
        b"openai-beta": b"x=v1",
        b"idempotency-key": b"k1",
    }
    never = {
        b"cookie": b"session=1",
        b"x-api-key": TOKEN,
        b"host": b"gateway",
        b"x-forwarded-for": b"10.0.0.1",
        b"openai-organization": b"org-1",
    }
    await bench.ask(headers={**sent, **never})
    (call,) = bench.providers["first"].calls
    assert dict(call.headers) == sent
    assert TOKEN not in b"".join(value for _, value in call.headers)


async def test_a_header_of_unreasonable_length_stays_here() -> None:
    bench = gateway_bench({"first": [answers()]})
    await bench.ask(headers={b"tracestate": b"x" * 513, b"traceparent": b"y" * 512})
    (call,) = bench.providers["first"].calls
    assert call.headers == ((b"traceparent", b"y" * 512),)


async def test_only_harmless_headers_come_back() -> None:
    upstream = {
        b"content-type": b"application/json",
        b"openai-processing-ms": b"12",
        b"x-ratelimit-remaining-requests": b"99",
        b"x-ratelimit-reset-tokens": b"6m0s",
        b"set-cookie": b"a=b",
        b"openai-organization": b"org-1",
        b"server": b"x",
    }
    bench = gateway_bench({"first": [answers(headers=upstream)]})
    reply = await bench.ask()
    assert reply.headers[b"openai-processing-ms"] == b"12"
    assert reply.headers[b"x-ratelimit-remaining-requests"] == b"99"
    assert reply.headers[b"x-ratelimit-reset-tokens"] == b"6m0s"
    assert not {b"set-cookie", b"openai-organization", b"server"} & reply.headers.keys()


@pytest.mark.parametrize(
    ("fields", "asks_usage"),
    [
        ({}, False),
        ({"stream_options": None}, False),
        ({"stream_options": {"include_usage": False}}, False),
        ({"stream_options": {"include_usage": True}}, True),
    ],
)
async def test_a_provider_is_told_whether_the_client_asked_for_usage(
    fields: dict[str, Any], asks_usage: bool
) -> None:
    bench = gateway_bench({"first": [streams()]})
    await bench.ask(chat_body(stream=True, **fields))
    (call,) = bench.providers["first"].calls
    assert (call.stream, call.asks_usage) == (True, asks_usage)


@pytest.mark.parametrize(
    ("headers", "fields", "budget_ms"),
    [
        ({}, {}, 8_000),
        ({}, {"stream": True}, 4_000),
        ({b"x-steadyhand-deadline-ms": b"900"}, {}, 900),
        ({b"x-steadyhand-deadline-ms": b"900.5"}, {"stream": True}, 900.5),
        ({b"x-steadyhand-deadline-ms": b"99999"}, {}, 8_000),
        ({}, {"steadyhand": {"deadline_ms": 700}}, 700),
        ({}, {"steadyhand": {"deadline_ms": 99_999}}, 8_000),
        ({}, {"steadyhand": {}}, 8_000),
        ({}, {"steadyhand": {"deadline_ms": None}}, 8_000),
        ({b"x-steadyhand-deadline-ms": b"900"}, {"steadyhand": {"deadline_ms": 700}}, 700),
        ({b"x-steadyhand-deadline-ms": b"900"}, {"steadyhand": {}}, 900),
    ],
)
async def test_a_caller_may_ask_for_less_time_but_not_for_more(
    headers: dict[bytes, bytes], fields: dict[str, Any], budget_ms: float
) -> None:
    script = streams() if fields.get("stream") else answers()
    bench = gateway_bench({"first": [script]}, slo=BUDGET)
    before_s = monotonic()
    await bench.ask(chat_body(**fields), headers)
    (limits,) = bench.providers["first"].limits
    reserve_s = 0.010
    assert before_s <= limits.give_up_at_s - budget_ms / 1000 + reserve_s <= monotonic()
    assert limits.total_s == (30.0 if fields.get("stream") else 8.0)
    record = bench.record()
    assert record.budget_us == pytest.approx(budget_ms * 1000, abs=2)
    assert record.in_time


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        *(
            ({b"x-steadyhand-deadline-ms": value}, {})
            for value in (b"0", b"-5", b"soon", b"", b"nan", b"inf", b"1e999", b"\xff")
        ),
        ({}, {"steadyhand": {"deadline_ms": 0}}),
        ({}, {"steadyhand": {"deadline_ms": -1}}),
        ({}, {"steadyhand": {"deadline_ms": "1"}}),
        ({}, {"steadyhand": {"deadline_ms": True}}),
        ({}, {"steadyhand": 5}),
    ],
)
async def test_a_deadline_that_is_no_time_is_refused(
    headers: dict[bytes, bytes], fields: dict[str, Any]
) -> None:
    bench = gateway_bench({"first": []})
    reply = await bench.ask(chat_body(**fields), headers)
    assert reply.status == 400
    assert reply.json()["error"]["code"] == "invalid_value"
    assert bench.record().outcome == "rejected"
