"""Who may call what, and what strangers learn: nothing."""

import pytest

from tests.support.chats import chat_body
from tests.support.gateways import NARROW_TOKEN, TOKEN, gateway_bench
from tests.support.upstreams import answers

WRONG = b"sk-wrong-0123456789"


@pytest.mark.parametrize(
    "headers",
    [
        {b"authorization": b"Bearer " + TOKEN},
        {b"authorization": b"bearer " + TOKEN},
        {b"authorization": b"BEARER   " + TOKEN + b" "},
        {b"x-api-key": TOKEN},
    ],
)
async def test_a_key_is_taken_from_either_header(headers: dict[bytes, bytes]) -> None:
    bench = gateway_bench({"first": [answers()]})
    reply = await bench.ask(headers=headers, token=None)
    assert reply.status == 200
    assert (bench.record().tenant, bench.record().key) == ("acme", "app")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {b"authorization": b""},
        {b"authorization": b"Bearer"},
        {b"authorization": b"Bearer  "},
        {b"authorization": b"Bearer " + WRONG},
        {b"authorization": WRONG},
        {b"authorization": TOKEN},
        {b"authorization": b"Basic " + TOKEN},
        {b"authorization": b"Bearer " + WRONG, b"x-api-key": TOKEN},
        {b"authorization": b"Bearer \xff\xfe"},
        {b"x-api-key": WRONG},
        {b"x-api-key": b""},
    ],
)
@pytest.mark.parametrize("body", [chat_body(), b"{", chat_body("no-such-model")])
async def test_without_a_good_key_every_body_gets_the_same_answer(
    headers: dict[bytes, bytes], body: bytes
) -> None:
    bench = gateway_bench({"first": []})
    reply = await bench.ask(body, headers, token=None)
    error = reply.json()["error"]
    assert reply.status == 401
    assert (error["type"], error["code"]) == ("authentication_error", "invalid_api_key")
    assert error["param"] is None
    assert reply.headers[b"www-authenticate"] == b"Bearer"
    assert b"wrong" not in reply.body, "the key is echoed"
    record = bench.record()
    assert (record.outcome, record.reason, record.status) == ("rejected", "invalid_api_key", 401)
    assert (record.tenant, record.key, record.attempts) == ("", "", ())


async def test_a_route_that_the_key_may_not_call_is_403() -> None:
    bench = gateway_bench({"first": []})
    reply = await bench.ask(token=NARROW_TOKEN)
    assert reply.status == 403
    assert reply.json()["error"] == {
        "message": "key 'narrow' may not call route 'assistant' "
        "(add it to routes of [keys.narrow])",
        "type": "permission_error",
        "param": "model",
        "code": "route_forbidden",
    }
    record = bench.record()
    assert (record.outcome, record.reason, record.status) == ("rejected", "route_forbidden", 403)
    assert (record.tenant, record.key) == ("globex", "narrow"), "the key was accepted"


async def test_a_bad_body_from_a_known_key_is_on_its_account() -> None:
    bench = gateway_bench({"first": []})
    reply = await bench.ask(b"{", token=NARROW_TOKEN)
    assert reply.status == 400
    assert (bench.record().tenant, bench.record().key) == ("globex", "narrow")


@pytest.mark.parametrize(
    ("model", "token"),
    [
        ("no-such-model", TOKEN),
        ("second/m", TOKEN),
        ("first/m", NARROW_TOKEN),
        ("x" * 5_000, TOKEN),
        ("", TOKEN),
    ],
)
async def test_an_unknown_model_is_404_in_the_clients_shape(model: str, token: bytes) -> None:
    bench = gateway_bench({"first": [], "second": []})
    reply = await bench.ask(chat_body(model), token=token)
    error = reply.json()["error"]
    assert reply.status == 404
    assert error["type"] == "invalid_request_error"
    assert (error["code"], error["param"]) == ("model_not_found", "model")
    assert len(reply.body) < 1_000
    record = bench.record()
    assert (record.outcome, record.reason, record.status) == ("rejected", "model_not_found", 404)
    assert record.requested_model == model[:200]


async def test_a_provider_model_is_called_by_name_if_the_key_allows_it() -> None:
    bench = gateway_bench({"first": [answers()]})
    reply = await bench.ask(chat_body("first/some-model"))
    assert reply.status == 200
    assert bench.providers["first"].calls[0].model == "some-model"
    assert reply.headers[b"x-steadyhand-deployment"] == b"first/some-model"
    assert bench.record().route == "first/*"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"model":"assistant"}',
        b'{"model":"assistant","messages":[]}',
        b'{"model":"assistant","messages":[{"content":"\xff"}]}',
        b"[" * 100_000,
        b'{"model":"assistant","messages":[%b]}' % (b"[" * 100_000 + b"]" * 100_000),
        b'{"model":"assistant","messages":[{}],"model":"classify"}',
        b'{"mod\\u0065l":"assistant","messages":[{}],"model":"classify"}',
    ],
    ids=lambda body: body[:50].decode(errors="replace"),
)
async def test_a_bad_body_is_400_in_the_clients_shape(body: bytes) -> None:
    bench = gateway_bench({"first": [answers()]})
    reply = await bench.ask(body)
    error = reply.json()["error"]
    assert reply.status == 400
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    record = bench.record()
    assert (record.outcome, record.status) == ("rejected", 400)
    assert record.reason == error["code"]
    assert record.request_bytes == len(body)
