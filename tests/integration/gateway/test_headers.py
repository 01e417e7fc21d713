"""Headers in both directions: what is echoed, what goes on, what must never leave."""

import re

import pytest

from tests.support.chats import answer_body
from tests.support.installations import (
    CHAT,
    KEY,
    NARROW_KEY,
    ORIGIN,
    UPSTREAM_KEY,
    Installation,
    chat_body,
    marker,
)

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["up/steady", "up/error-400", "up/error-500", "nowhere"])
def test_x_request_id_is_echoed_on_success_and_error(
    house: Installation, model: str, stream: bool
) -> None:
    answer = house.ask(model, stream=stream, headers={"X-Request-Id": "mine-17"})
    assert answer.headers["x-request-id"] == "mine-17"
    assert re.fullmatch(r"req_\w+", answer.request_id)


def test_a_request_without_an_id_gets_one_that_the_record_has(house: Installation) -> None:
    answer = house.ask("up/steady")
    assert answer.headers["x-request-id"] == answer.request_id
    assert house.record(answer.request_id)["client_request_id"] == ""


@pytest.mark.parametrize("sent", ["x" * 129, "caf\xe9", "a\tb"])
def test_an_id_that_is_not_short_and_printable_is_replaced(house: Installation, sent: str) -> None:
    answer = house.ask("up/steady", headers={"X-Request-Id": sent})
    assert answer.headers["x-request-id"] == answer.request_id


def test_the_client_s_id_is_in_the_record(house: Installation) -> None:
    word = marker()
    answer = house.ask("up/steady", headers={"X-Request-Id": word})
    assert house.record(answer.request_id)["client_request_id"] == word


@pytest.mark.parametrize("stream", [False, True])
def test_rate_limits_of_the_provider_are_relayed_and_its_own_id_is_not(
    house: Installation, stream: bool
) -> None:
    answer = house.ask("up/steady", stream=stream)
    assert answer.headers["x-ratelimit-limit-requests"] == "500"
    assert answer.headers["x-ratelimit-remaining-requests"] == "499"
    assert answer.headers["x-request-id"] == answer.request_id


def test_what_openai_says_of_itself_is_relayed_and_its_cookies_are_not(
    house: Installation,
) -> None:
    script = house.canned.answer(
        answer_body(),
        headers={
            "openai-processing-ms": "117",
            "openai-version": "2020-10-01",
            "x-ratelimit-reset-tokens": "6m0s",
            "set-cookie": "__cf_bm=secret",
            "server": "cloudflare",
            "x-novelty": "1",
        },
    )
    headers = house.ask(f"canned/{script.model}").headers
    assert headers["openai-processing-ms"] == "117"
    assert headers["openai-version"] == "2020-10-01"
    assert headers["x-ratelimit-reset-tokens"] == "6m0s"
    assert not {"set-cookie", "server", "x-novelty"} & headers.keys()


def test_an_answer_says_which_rung_spoke_why_and_from_which_release(house: Installation) -> None:
    headers = house.ask("up/steady").headers
    assert headers["x-steadyhand-rung"] == "live"
    assert headers["x-steadyhand-reason"] == "first_choice"
    assert headers["x-steadyhand-deployment"] == "up/steady"
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", headers["x-steadyhand-release"])


def test_traceparent_goes_on_to_the_upstream(house: Installation) -> None:
    script = house.canned.answer(answer_body())
    sent = {"Traceparent": TRACE, "Tracestate": "vendor=1", "OpenAI-Beta": "x=v1"}
    house.ask(f"canned/{script.model}", headers=sent)
    heard = script.request.headers
    assert heard["traceparent"] == TRACE
    assert heard["tracestate"] == "vendor=1"
    assert heard["openai-beta"] == "x=v1"


def test_the_upstream_sees_its_own_host_our_key_and_nothing_else_of_the_client(
    house: Installation,
) -> None:
    script = house.canned.answer(answer_body())
    sent = {
        "Host": "gateway.test",
        "Cookie": "session=secret",
        "X-Api-Key": "other-secret",
        "X-Forwarded-For": "10.0.0.1",
        "Openai-Organization": "org-client",
        "User-Agent": "client/1",
        "X-Stainless-Lang": "python",
    }
    house.ask(f"canned/{script.model}", headers=sent)
    heard = script.request.headers
    assert heard["host"] == f"127.0.0.1:{house.canned.port}"
    assert heard["authorization"] == f"Bearer {UPSTREAM_KEY}"
    assert heard["user-agent"].startswith("steadyhand/")
    assert heard["accept-encoding"] == "identity"
    assert heard.keys() == {
        *("host", "content-type", "accept", "accept-encoding", "user-agent"),
        *("authorization", "content-length"),
    }
    assert KEY.encode() not in script.request.head


@pytest.mark.parametrize(
    "sent",
    [
        {"Authorization": f"Bearer {KEY}"},
        {"authorization": f"bearer {KEY}"},
        {"AUTHORIZATION": f"BEARER  {KEY} "},
        {"x-api-key": KEY},
        {"X-Api-Key": KEY},
    ],
)
def test_a_key_is_taken_as_bearer_in_any_case_and_as_x_api_key(
    house: Installation, sent: dict[str, str]
) -> None:
    with house.line() as line:
        assert line.ask("POST", CHAT, JSON | sent, chat_body("up/steady")).status == 200


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"Authorization": "Bearer sk-wrong-9f9f9f9f"},
        {"Authorization": KEY},
        {"Authorization": f"Basic {KEY}"},
        {"Authorization": "Bearer "},
        {"x-api-key": "sk-wrong-9f9f9f9f"},
    ],
)
def test_a_wrong_or_missing_key_is_401_in_the_client_s_shape_and_not_echoed(
    house: Installation, sent: dict[str, str]
) -> None:
    with house.line() as line:
        answer = line.ask("POST", CHAT, JSON | sent, chat_body("up/steady"))
    assert answer.status == 401
    error = answer.error
    assert (error["code"], error["type"]) == ("invalid_api_key", "authentication_error")
    assert error["param"] is None
    assert answer.headers["www-authenticate"] == "Bearer"
    assert b"9f9f9f9f" not in answer.body
    assert KEY.encode() not in answer.body


def test_a_good_key_without_the_right_is_403_for_a_route_and_404_for_a_model(
    house: Installation,
) -> None:
    forbidden = house.ask("floored", key=NARROW_KEY)
    assert (forbidden.status, forbidden.error["type"]) == (403, "permission_error")
    hidden = house.ask("up/steady", key=NARROW_KEY)
    assert (hidden.status, hidden.error["code"]) == (404, "model_not_found")
    assert house.ask("answers", key=NARROW_KEY).status == 200


def test_a_preflight_from_a_named_origin_is_allowed(house: Installation) -> None:
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type, x-stainless-os",
    }
    with house.line() as line:
        answer = line.ask("OPTIONS", CHAT, asked)
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "x-stainless-os" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize("model", ["up/steady", "up/error-400"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_page_of_a_named_origin_may_read_answer_and_request_id(
    house: Installation, model: str, stream: bool
) -> None:
    answer = house.ask(model, stream=stream, headers={"Origin": ORIGIN})
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "x-request-id" in answer.headers["access-control-expose-headers"]
    assert answer.headers["vary"] == "origin"


def test_another_origin_is_allowed_nothing(house: Installation) -> None:
    with house.line() as line:
        answer = line.ask("OPTIONS", CHAT, {"Origin": "https://evil.example"})
    assert answer.status == 204
    assert not [name for name in answer.headers if name.startswith("access-control")]
    headers = house.ask("up/steady", headers={"Origin": "https://evil.example"}).headers
    assert not [name for name in headers if name.startswith("access-control")]
