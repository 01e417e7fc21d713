"""What providers answer instead of an answer, and what the client is told, streamed and not.

A stream that has said nothing yet is answered like any request: a status, never 200 with an error
event. The routes used here end in the floor ``error``.
"""

import json

import pytest

from tests.support.chats import error_body, event
from tests.support.installations import UPSTREAM_KEY, Installation

pytestmark = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])

INVALID = "invalid_request_error"
EXACT = [
    ("error-400", 400, INVALID, "temperature", "decimal_above_max_value", "Invalid 'temperature'"),
    ("context-length", 400, INVALID, "messages", "context_length_exceeded", "maximum context"),
    ("error-404", 404, INVALID, None, "model_not_found", "The model 'simulated' does not exist"),
    ("error-408", 408, "timeout", None, None, "Timed out reading"),
    ("error-413", 413, INVALID, None, "request_too_large", "Request entity too large"),
    ("error-422", 422, INVALID, None, None, "could not be processed"),
    ("rate-limit", 429, "requests", None, "rate_limit_exceeded", "Rate limit reached"),
    ("quota", 429, "insufficient_quota", None, "insufficient_quota", "exceeded your current quota"),
]


@pytest.mark.parametrize(("model", "status", "kind", "param", "code", "message"), EXACT)
def test_a_refusal_keeps_status_message_type_param_and_code(
    house: Installation,
    stream: bool,
    model: str,
    status: int,
    kind: str,
    param: str | None,
    code: str | None,
    message: str,
) -> None:
    answer = house.ask(f"up/{model}", stream=stream)
    error = answer.error
    assert answer.status == status
    assert (error["type"], error["param"], error["code"]) == (kind, param, code)
    assert message in error["message"]


def test_param_and_code_are_json_null_where_the_provider_said_nothing(
    house: Installation, stream: bool
) -> None:
    body = house.ask("up/error-422", stream=stream).body
    assert b'"param":null' in body
    assert b'"code":null' in body


@pytest.mark.parametrize(
    "model",
    ["error-401", "error-403", "error-500", "error-502", "error-503", "error-504", "error-529"],
)
def test_a_provider_that_fails_becomes_a_typed_503_with_a_time_to_wait(
    house: Installation, stream: bool, model: str
) -> None:
    """A dead upstream key (401, 403) is ours to mend and never shown as the caller's."""
    answer = house.ask(f"up/{model}", stream=stream)
    assert answer.status == 503
    assert answer.error["type"] == "server_error"
    assert answer.error["code"] == "no_answer"
    assert int(answer.headers["retry-after"]) >= 1
    assert int(answer.headers["retry-after-ms"]) >= 1


@pytest.mark.parametrize(
    "model",
    ["error-200", "error-first-event", "html-200", "malformed-json", "empty-body", "not-http"],
)
def test_what_is_no_answer_under_200_is_never_a_success(
    house: Installation, stream: bool, model: str
) -> None:
    answer = house.ask(f"up/{model}", stream=stream)
    assert answer.status == 503
    assert answer.error["code"] == "no_answer"


@pytest.mark.parametrize("model", ["refused", "reset-before-headers"])
def test_a_connection_that_breaks_before_a_byte_becomes_a_typed_503(
    house: Installation, stream: bool, model: str
) -> None:
    answer = house.ask(f"up/{model}", stream=stream)
    assert (answer.status, answer.error["code"]) == (503, "no_answer")


def test_nothing_listening_upstream_becomes_a_typed_503(house: Installation, stream: bool) -> None:
    answer = house.ask("dead/any", stream=stream)
    assert (answer.status, answer.error["code"]) == (503, "no_answer")


@pytest.mark.parametrize("model", ["error-500", "error-200", "html-200", "malformed-json"])
def test_the_next_rung_answers_for_one_that_failed(
    house: Installation, stream: bool, model: str
) -> None:
    """The route's first rung is overridden to be ``model`` for this test's question only."""
    answer = house.ask(f"then-{model}", stream=stream)
    assert (answer.status, answer.text()) == (200, "second")
    assert answer.headers["x-steadyhand-deployment"].startswith("up/steady")
    assert answer.headers["x-steadyhand-reason"] != "first_choice"


def test_what_one_model_refuses_the_next_may_answer(house: Installation, stream: bool) -> None:
    answer = house.ask("then-error-400", stream=stream)
    assert (answer.status, answer.text()) == (200, "second")
    attempts = house.record(answer.request_id)["attempts"]
    assert [a["reason"] for a in attempts] == ["invalid_request", "ok"]


def test_a_refusal_of_the_request_itself_is_relayed_if_nobody_answers(
    house: Installation, stream: bool
) -> None:
    answer = house.ask("up/error-400", stream=stream)
    assert (answer.status, answer.error["param"]) == (400, "temperature")


def test_retry_after_and_its_milliseconds_are_relayed_unprefixed(
    house: Installation, stream: bool
) -> None:
    answer = house.ask("up/rate-limit:retry_after_s=7.5", stream=stream)
    assert answer.status == 429
    assert answer.headers["retry-after"] == "8"
    assert answer.headers["retry-after-ms"] == "7500"
    assert not [name for name in answer.headers if "retry-after" in name and name[0] != "r"]


def test_the_wait_that_an_overloaded_provider_asks_for_is_relayed(
    house: Installation, stream: bool
) -> None:
    answer = house.ask("up/error-503:retry_after_s=9", stream=stream)
    assert (answer.status, answer.headers["retry-after"]) == (503, "9")
    assert answer.headers["retry-after-ms"] == "9000"


def test_a_retry_after_given_as_a_date_becomes_seconds(house: Installation, stream: bool) -> None:
    dates = {
        "date": "Sun, 22 Nov 2026 12:00:00 GMT",
        "retry-after": "Sun, 22 Nov 2026 12:00:20 GMT",
    }
    script = house.canned.answer(error_body("slow down"), status=429, headers=dates)
    answer = house.ask(f"canned/{script.model}", stream=stream)
    assert (answer.status, answer.headers["retry-after"]) == (429, "20")


def test_a_429_without_a_time_to_wait_is_given_one(house: Installation, stream: bool) -> None:
    answer = house.ask("up/rate-limit-bare", stream=stream)
    assert answer.status == 429
    assert int(answer.headers["retry-after"]) >= 1


def test_a_429_that_no_wait_will_mend_tells_sdks_not_to_try_again(
    house: Installation, stream: bool
) -> None:
    answer = house.ask("up/quota", stream=stream)
    assert (answer.status, answer.headers["x-should-retry"]) == (429, "false")
    assert "retry-after" not in answer.headers


def test_rate_limit_headers_are_relayed_with_a_429(house: Installation, stream: bool) -> None:
    answer = house.ask("up/rate-limit", stream=stream)
    assert answer.headers["x-ratelimit-remaining-requests"] == "0"
    assert answer.headers["x-ratelimit-limit-requests"] == "500"
    assert answer.headers["x-ratelimit-reset-requests"] == "2000ms"


def test_an_error_wrapped_in_an_array_is_read_with_its_retry_info(
    house: Installation, stream: bool
) -> None:
    """Gemini's OpenAI-shaped endpoint writes errors so."""
    wait = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "33s"}
    error = {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED", "details": [wait]}
    script = house.canned.answer(json.dumps([{"error": error}]).encode(), status=429)
    answer = house.ask(f"canned/{script.model}", stream=stream)
    assert (answer.status, answer.error["message"]) == (429, "slow")
    assert answer.headers["retry-after"] == "33"


def test_an_error_never_echoes_a_key(house: Installation, stream: bool) -> None:
    leak = error_body(f"key {UPSTREAM_KEY} of sk-proj-abcdefghijklmnop is not yours")
    script = house.canned.answer(leak, status=400)
    answer = house.ask(f"canned/{script.model}", stream=stream)
    assert answer.status == 400
    assert UPSTREAM_KEY not in answer.body.decode()
    assert "sk-proj-abcdefghijklmnop" not in answer.body.decode()


def test_an_error_event_before_any_content_is_an_error_status(
    house: Installation, stream: bool
) -> None:
    complaint = error_body("overloaded", type="overloaded_error")
    script = house.canned.stream(event(complaint)) if stream else house.canned.answer(complaint)
    answer = house.ask(f"canned/{script.model}", stream=stream)
    assert answer.status == 503
    assert answer.headers["content-type"] == "application/json"


def test_the_floor_s_text_stands_in_for_a_provider_that_fails(
    house: Installation, stream: bool
) -> None:
    answer = house.ask("floored", stream=stream)
    assert answer.status == 200
    assert answer.headers["x-steadyhand-rung"] == "template"
    reason = answer.headers["x-steadyhand-reason"]
    assert reason in {"server_error", "open"}, "it failed, or is known to: its breaker is open"
