"""Paths beside chat: models, health, preflight, and clear words about what is not there."""

import re

import pytest

from tests.support.chats import chat_body
from tests.support.gateways import COMPILED_S, NARROW_TOKEN, TOKEN, GatewayBench, gateway_bench
from tests.support.upstreams import answers

APP = b"https://app.example"


@pytest.fixture
def bench() -> GatewayBench:
    return gateway_bench({"first": []}, origins=(APP.decode(),))


@pytest.mark.parametrize(
    ("token", "expected"), [(TOKEN, ["assistant", "classify"]), (NARROW_TOKEN, ["classify"])]
)
@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
async def test_the_models_list_is_what_the_key_may_call(
    bench: GatewayBench, token: bytes, expected: list[str], method: bytes
) -> None:
    reply = await bench.ask(method=method, path=b"/v1/models", token=token)
    assert reply.status == 200
    assert reply.headers[b"content-type"] == b"application/json"
    assert reply.json()["object"] == "list"
    assert [entry["id"] for entry in reply.json()["data"]] == expected
    assert {entry["created"] for entry in reply.json()["data"]} == {COMPILED_S}
    assert reply.headers[b"x-request-id"]


async def test_one_model_is_shown_by_name(bench: GatewayBench) -> None:
    reply = await bench.ask(method=b"GET", path=b"/v1/models/class%69fy")
    assert (reply.status, reply.json()["id"]) == (200, "classify")


@pytest.mark.parametrize(
    ("method", "path", "token", "status", "code"),
    [
        (b"GET", b"/v1/models/none", TOKEN, 404, "model_not_found"),
        (b"GET", b"/v1/models/assistant", NARROW_TOKEN, 404, "model_not_found"),
        (b"GET", b"/v1/models", None, 401, "invalid_api_key"),
        (b"GET", b"/v1/models/assistant", None, 401, "invalid_api_key"),
        (b"POST", b"/v1/models", TOKEN, 405, "method_not_allowed"),
        (b"GET", b"/v1/chat/completions", TOKEN, 405, "method_not_allowed"),
        (b"HEAD", b"/v1/chat/completions", TOKEN, 405, "method_not_allowed"),
        (b"DELETE", b"/v1/chat/completions", TOKEN, 405, "method_not_allowed"),
        (b"GET", b"/", TOKEN, 404, "not_found"),
        (b"POST", b"/v1/completions", TOKEN, 404, "not_found"),
        (b"POST", b"/v1/modelsx", TOKEN, 404, "not_found"),
        (b"POST", b"/v1/chat/completions/", TOKEN, 404, "not_found"),
        (b"GET", b"/" + b"\xff%00" * 500, None, 404, "not_found"),
    ],
)
async def test_what_is_not_there_is_said_in_the_clients_shape(
    bench: GatewayBench,
    method: bytes,
    path: bytes,
    token: bytes | None,
    status: int,
    code: str,
) -> None:
    reply = await bench.ask(b"", method=method, path=path, token=token)
    error = reply.json()["error"]
    assert (reply.status, error["code"]) == (status, code)
    assert error.keys() == {"message", "type", "param", "code"}
    assert reply.headers[b"x-request-id"]
    assert bench.records == [], "only requests for a model leave a record"


async def test_health_needs_no_key_and_readiness_ends_with_draining(bench: GatewayBench) -> None:
    for path in (b"/healthz", b"/readyz"):
        reply = await bench.ask(method=b"GET", path=path, token=None)
        assert reply.status == 200
    bench.gateway.is_draining = True
    assert (await bench.ask(method=b"GET", path=b"/healthz", token=None)).status == 200
    reply = await bench.ask(method=b"GET", path=b"/readyz", token=None)
    assert (reply.status, reply.json()) == (503, {"status": "draining"})


@pytest.mark.parametrize(("origin", "allowed"), [(APP, True), (b"https://evil.example", False)])
async def test_a_preflight_is_answered_without_a_key(
    bench: GatewayBench, origin: bytes, allowed: bool
) -> None:
    asked = {b"origin": origin, b"access-control-request-method": b"POST"}
    reply = await bench.ask(b"", asked, method=b"OPTIONS", token=None)
    assert (reply.status, reply.body) == (204, b"")
    assert (b"access-control-allow-origin" in reply.headers) is allowed


@pytest.mark.parametrize("body", [chat_body(), b"{", chat_body("none")])
async def test_a_browser_can_read_answers_and_errors_alike(body: bytes) -> None:
    bench = gateway_bench({"first": [answers()]}, origins=(APP.decode(),))
    reply = await bench.ask(body, {b"origin": APP})
    assert reply.headers[b"access-control-allow-origin"] == APP
    assert b"x-request-id" in reply.headers[b"access-control-expose-headers"]


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [
        (b"my-id-1", True),
        (b"x" * 128, True),
        (b"x" * 129, False),
        (b"caf\xc3\xa9", False),
        (b"a\tb", False),
        (b"", False),
    ],
)
@pytest.mark.parametrize(("body", "status"), [(chat_body(), 200), (b"{", 400)])
async def test_the_clients_own_request_id_is_echoed_or_replaced(
    sent: bytes, echoed: bool, body: bytes, status: int
) -> None:
    bench = gateway_bench({"first": [answers()]})
    reply = await bench.ask(body, {b"x-request-id": sent})
    ours = reply.headers[b"x-steadyhand-request-id"]
    assert reply.status == status
    assert re.fullmatch(rb"req_[0-9a-z]{23}", ours)
    assert reply.headers[b"x-request-id"] == (sent if echoed else ours)
    record = bench.record()
    assert record.request_id == ours.decode()
    assert record.client_request_id == (sent.decode() if echoed else "")
