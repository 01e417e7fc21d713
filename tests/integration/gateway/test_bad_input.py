"""Requests that are wrong: the right 4xx, in the client's shape, and nothing reaches upstream."""

import pytest

from tests.support.installations import CHAT, KEY, Installation, chat_body, marker
from tests.support.raw_client import Answer

MESSAGES = b'"messages":[{"role":"user","content":"Hi"}]'
AUTHORIZED = {"Authorization": f"Bearer {KEY}"}

UNREADABLE = {
    "empty body": b"",
    "no JSON": b"model=up/steady",
    "cut off": b'{"model":"up/steady","messages":[',
    "two values": b'{"model":"a",' + MESSAGES + b"} {}",
    "an array": b"[]",
    "null": b"null",
    "a string": b'"up/steady"',
    "bad UTF-8 in a field that is read": b'{"model":"\xff",' + MESSAGES + b"}",
    "bad UTF-8 in a field that is not": b'{"model":"up/steady",' + MESSAGES + b',"user":"\xc3("}',
    "UTF-16": '{"model":"up/steady"}'.encode("utf-16"),
    "100,000 brackets": b"[" * 100_000,
    "100,000 brackets in a field": b'{"model":"up/steady",' + MESSAGES + b',"x":' + b"[" * 100_000,
    "100,000 closed brackets in a field": b'{"model":"up/steady",'
    + MESSAGES
    + b',"x":'
    + b"[" * 100_000
    + b"]" * 100_000
    + b"}",
    "100,000 objects in a message": b'{"model":"up/steady","messages":['
    + b'{"a":' * 100_000
    + b"1"
    + b"}" * 100_000
    + b"]}",
}


def rejected(house: Installation, answer: Answer, status: int, code: str) -> dict[str, object]:
    """Check a refusal of ours and its record; return the error."""
    assert answer.status == status
    error = answer.error
    assert (error["type"], error["code"]) == ("invalid_request_error", code)
    assert answer.headers["x-request-id"]
    return dict(error)


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_body_that_is_not_one_json_object_in_utf_8_is_400(
    house: Installation, body: bytes
) -> None:
    error = rejected(house, house.ask("", body=body), 400, "invalid_json")
    assert error["param"] is None


@pytest.mark.parametrize("field", ["model", "messages"])
def test_a_missing_field_is_400_and_named(house: Installation, field: str) -> None:
    body = {"model": b"{%b}" % MESSAGES, "messages": b'{"model":"up/steady"}'}[field]
    answer = house.ask("", body=body)
    error = rejected(house, answer, 400, "missing_required_parameter")
    assert error["param"] == field


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        (b'"model":7,' + MESSAGES, "model"),
        (b'"model":null,' + MESSAGES, "model"),
        (b'"model":"up/steady","messages":"Hi"', "messages"),
        (b'"model":"up/steady","messages":[]', "messages"),
        (b'"model":"up/steady","stream":"yes",' + MESSAGES, "stream"),
        (b'"model":"up/steady","tools":{},' + MESSAGES, "tools"),
    ],
)
def test_a_field_of_the_wrong_kind_is_400_and_named(
    house: Installation, fields: bytes, param: str
) -> None:
    error = rejected(house, house.ask("", body=b"{%b}" % fields), 400, "invalid_value")
    assert error["param"] == param


def test_a_field_given_twice_is_400(house: Installation) -> None:
    body = b'{"model":"up/steady","model":"up/other",' + MESSAGES + b"}"
    assert rejected(house, house.ask("", body=body), 400, "invalid_request")["param"] == "model"


@pytest.mark.parametrize("model", ["nowhere", "", "up/", "nobody/steady", "/steady", "x" * 5000])
@pytest.mark.parametrize("stream", [False, True])
def test_an_unknown_model_is_404_and_no_other_model_answers(
    house: Installation, model: str, stream: bool
) -> None:
    answer = house.ask(model, stream=stream)
    error = rejected(house, answer, 404, "model_not_found")
    assert error["param"] == "model"
    assert len(answer.body) < 1000


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/chat", "/v2/chat/completions", "/v1/modelsx"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_every_404_path_is_in_the_client_s_shape(
    house: Installation, path: str, method: str
) -> None:
    with house.line() as line:
        answer = line.ask(method, path, AUTHORIZED, b"{}")
    rejected(house, answer, 404, "not_found")


def test_the_404_of_another_api_says_what_is_spoken(house: Installation) -> None:
    """Several clients begin with it unless they are told otherwise."""
    with house.line() as line:
        answer = line.ask("POST", "/v1/responses", AUTHORIZED, b'{"model":"answers","input":"Hi"}')
    error = rejected(house, answer, 404, "not_found")
    assert str(error["message"]).startswith("no such path: /v1/responses")
    assert f"ask POST {CHAT}" in str(error["message"])


@pytest.mark.parametrize(("method", "path"), [("GET", CHAT), ("PUT", CHAT), ("POST", "/v1/models")])
def test_a_wrong_method_is_405_in_the_client_s_shape(
    house: Installation, method: str, path: str
) -> None:
    with house.line() as line:
        answer = line.ask(method, path, AUTHORIZED, b"{}")
    rejected(house, answer, 405, "method_not_allowed")


def test_bad_json_under_a_wrong_key_tells_only_of_the_key(house: Installation) -> None:
    answer = house.ask("", key="sk-wrong", body=b"{")
    assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")


def test_a_deadline_that_is_no_number_above_zero_is_400(house: Installation) -> None:
    sent = {"x-steadyhand-deadline-ms": "soon"}
    error = rejected(house, house.ask("up/steady", headers=sent), 400, "invalid_value")
    assert error["param"] == "deadline_ms"


def test_what_is_refused_does_not_reach_the_upstream_and_is_recorded(house: Installation) -> None:
    word = marker()
    body = chat_body("up/steady", user=word)[:-1]
    answer = house.ask("", body=body)
    assert answer.status == 400
    record = house.record(answer.request_id)
    assert (record["outcome"], record["reason"]) == ("rejected", "invalid_json")
    assert (record["tenant"], record["request_bytes"]) == ("acme", len(body))
    assert house.simulated.seen(word) is None


def test_the_models_list_shows_what_the_key_may_call(house: Installation) -> None:
    with house.line() as line:
        listed = line.ask("GET", "/v1/models", AUTHORIZED).json["data"]
        one = line.ask("GET", "/v1/models/answers", AUTHORIZED).json
        none = line.ask("GET", "/v1/models/nowhere", AUTHORIZED)
    assert {"answers", "floored"} <= {entry["id"] for entry in listed}
    assert one in listed
    assert (none.status, none.error["code"]) == (404, "model_not_found")


def test_the_gateway_answers_on_after_all_this(house: Installation) -> None:
    assert house.ask("up/steady").status == 200
