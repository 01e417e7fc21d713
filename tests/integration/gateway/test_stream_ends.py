"""A stream is complete only if a finish reason and [DONE] came; otherwise the client is told."""

import json

import pytest

from tests.support.canned_upstream import CLOSE, Gate
from tests.support.chats import DONE, begins, chunk, error_body, event, says, stops, write
from tests.support.installations import UPSTREAM_KEY, Installation
from tests.support.raw_client import Answer

TRUNCATING = {
    "cut-mid-word": "connection_lost",
    "end-mid-word": "truncated",
    "no-finish": "truncated",
    "no-done": "truncated",
    "wrong-length-short": "truncated",
    "wrong-length-long": "ok",
    "reset-mid-body": "connection_lost",
}
"""What simulated models do after some text, and the reason that the record must give."""


def cut_short(answer: Answer) -> dict[str, object]:
    """Return the error that ends a committed stream; there must be no sign of a good end."""
    assert answer.status == 200
    assert b"[DONE]" not in answer.body
    assert answer.is_whole, "the response itself is well-framed"
    last = json.loads(answer.payloads()[-1])
    assert set(last) == {"error"}
    return dict(last["error"])


@pytest.mark.parametrize("model", [name for name, why in TRUNCATING.items() if why != "ok"])
def test_a_cut_stream_ends_with_a_typed_error_event_and_no_done(
    house: Installation, model: str
) -> None:
    answer = house.ask(f"up/{model}", stream=True)
    error = cut_short(answer)
    assert (error["type"], error["param"], error["code"]) == (
        "server_error",
        None,
        "stream_truncated",
    )
    record = house.record(answer.request_id)
    assert (record["outcome"], record["reason"]) == ("truncated", TRUNCATING[model])
    assert record["status"] == 200
    assert record["attempts"][0]["reason"] == TRUNCATING[model]


def test_a_stream_that_said_done_is_whole_whatever_length_was_declared(
    house: Installation,
) -> None:
    answer = house.ask("up/wrong-length-long", stream=True)
    assert answer.body.endswith(DONE)
    assert house.record(answer.request_id)["outcome"] == "answered"


def test_a_cut_within_a_tool_call_is_an_error_and_not_a_call(house: Installation) -> None:
    answer = house.ask("up/cut-mid-tool-call", stream=True)
    assert cut_short(answer)["code"] == "stream_truncated"
    reasons = [c["choices"][0]["finish_reason"] for c in answer.chunks() if "choices" in c]
    assert set(reasons) == {None}


def test_one_choice_of_two_without_a_finish_reason_is_truncated(house: Installation) -> None:
    events = [chunk(says("a")), chunk(says("b", index=1)), chunk(stops())]
    script = house.canned.stream(b"".join(map(event, events)) + DONE)
    answer = house.ask(f"canned/{script.model}", stream=True, n=2)
    assert cut_short(answer)["code"] == "stream_truncated"


def test_an_error_event_in_mid_stream_is_passed_on_and_is_the_end(house: Installation) -> None:
    gate = Gate()
    complaint = error_body("The server had an error", type="server_error", code="boom")
    script = house.canned.stream(event(chunk(says("so"))), gate, event(complaint), DONE)
    with house.begin(f"canned/{script.model}", stream=True) as (line, answer):
        line.piece(answer)
        gate.open()
        line.rest(answer)
    assert cut_short(answer) == json.loads(complaint)["error"]
    record = house.record(answer.request_id)
    assert (record["outcome"], record["reason"]) == ("truncated", "upstream_error_event")


def test_an_error_event_in_mid_stream_echoes_no_key_and_has_the_client_s_shape(
    house: Installation,
) -> None:
    gate = Gate()
    leak = write({"error": {"message": f"bad key {UPSTREAM_KEY}", "code": 500}})
    script = house.canned.stream(event(chunk(says("so"))), gate, event(leak))
    with house.begin(f"canned/{script.model}", stream=True) as (line, answer):
        line.piece(answer)
        gate.open()
        line.rest(answer)
    assert UPSTREAM_KEY.encode() not in answer.body
    error = cut_short(answer)
    assert (error["type"], error["param"], error["code"]) == ("server_error", None, None)


@pytest.mark.parametrize("model", ["then-cut-mid-word", "then-cut-mid-tool-call"])
def test_once_an_answer_has_begun_no_other_rung_speaks(house: Installation, model: str) -> None:
    answer = house.ask(model, stream=True)
    assert cut_short(answer)["code"] == "stream_truncated"
    assert len(house.record(answer.request_id)["attempts"]) == 1


@pytest.mark.parametrize(
    "broken",
    [
        b'data: {"choices":[\n\n',
        b"data: <html>\n\n",
        event(chunk(says("\ufffd")).replace("\ufffd".encode(), b"\xff")),
    ],
)
def test_an_event_that_is_no_chunk_ends_a_stream_with_an_error(
    house: Installation, broken: bytes
) -> None:
    gate = Gate()
    script = house.canned.stream(event(chunk(says("so"))), gate, broken, DONE)
    with house.begin(f"canned/{script.model}", stream=True) as (line, answer):
        line.piece(answer)
        gate.open()
        line.rest(answer)
    assert cut_short(answer)["code"] == "stream_truncated"
    assert house.record(answer.request_id)["reason"] == "malformed"


def test_an_upstream_silent_in_mid_stream_is_cut_off_when_its_idle_time_is_over(
    house: Installation,
) -> None:
    answer = house.ask("hurried/silent-mid-body", stream=True)
    assert cut_short(answer)["code"] == "stream_truncated"
    assert house.record(answer.request_id)["reason"] == "idle_timeout"


def test_a_stream_that_never_ends_is_cut_off_at_its_class_s_cap(house: Installation) -> None:
    answer = house.ask("endless", stream=True)
    assert cut_short(answer)["code"] == "stream_truncated"
    record = house.record(answer.request_id)
    assert (record["outcome"], record["reason"]) == ("truncated", "total_timeout")


def test_a_connection_serves_the_next_request_after_a_truncated_stream(
    house: Installation,
) -> None:
    script = house.canned.stream(event(chunk(begins())), event(chunk(says("so"))), CLOSE)
    with house.begin(f"canned/{script.model}", stream=True) as (line, answer):
        line.rest(answer)
        assert cut_short(answer)
        assert line.ask("GET", "/healthz").status == 200


def test_a_whole_answer_without_a_finish_reason_is_none(house: Installation) -> None:
    """It may have been cut; what is not streamed is held to the same."""
    answer = house.ask("up/no-finish")
    assert (answer.status, answer.error["code"]) == (503, "no_answer")
    [attempt] = house.record(answer.request_id)["attempts"]
    assert (attempt["status"], attempt["reason"]) == (200, "truncated")
