"""Tokens: always asked for upstream, told to the client only if it asked, understood anyhow."""

import json
from typing import Any

import pytest

from tests.support.chats import DONE, USAGE, answer_body, chunk, event, says, stops
from tests.support.installations import Installation, marker

ASKED: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}


def test_usage_is_null_before_and_last_comes_a_chunk_with_empty_choices(
    house: Installation,
) -> None:
    chunks = house.ask("up/steady", **ASKED).chunks()
    *before, last = chunks
    assert [c["usage"] for c in before] == [None] * len(before)
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] == 30


def test_no_usage_is_sent_to_a_client_that_did_not_ask(house: Installation) -> None:
    answer = house.ask("up/steady", stream=True)
    assert b'"usage"' not in answer.body
    assert all(c["choices"] for c in answer.chunks())


def test_usage_is_asked_upstream_for_a_stream_and_recorded(house: Installation) -> None:
    word = marker()
    answer = house.ask("up/steady", stream=True, user=word)
    sent = json.loads(house.upstream(word)["body"])
    assert sent["stream_options"] == {"include_usage": True}
    record = house.record(answer.request_id)
    assert (record["input_tokens"], record["output_tokens"]) == (14, 16)


@pytest.mark.parametrize("stream", [{}, {"stream": False}, {"stream": None}])
def test_stream_options_are_added_to_no_request_that_does_not_stream(
    house: Installation, stream: dict[str, Any]
) -> None:
    word = marker()
    assert house.ask("up/steady", user=word, **stream).status == 200
    assert "stream_options" not in house.upstream(word)["body"]


def test_other_stream_options_of_the_client_stay(house: Installation) -> None:
    word = marker()
    options = {"include_obfuscation": False, "include_usage": False}
    answer = house.ask("up/steady", stream=True, stream_options=options, user=word)
    sent = json.loads(house.upstream(word)["body"])["stream_options"]
    assert sent == {"include_obfuscation": False, "include_usage": True}
    assert b'"usage"' not in answer.body


@pytest.mark.parametrize(
    "model", ["usage-on-last-choice", "usage-every-chunk", "choices-null-usage"]
)
def test_every_way_to_send_usage_is_understood_and_taken_out_unasked(
    house: Installation, model: str
) -> None:
    answer = house.ask(f"up/{model}", stream=True)
    assert answer.body.endswith(DONE)
    assert b'"usage"' not in answer.body
    assert [c["choices"][0]["finish_reason"] for c in answer.chunks()][-1] == "stop"
    record = house.record(answer.request_id)
    assert (record["input_tokens"], record["output_tokens"]) == (14, 16)


@pytest.mark.parametrize("model", ["usage-on-last-choice", "usage-every-chunk"])
def test_usage_that_was_asked_for_comes_once_and_last_whatever_the_provider_does(
    house: Installation, model: str
) -> None:
    answer = house.ask(f"up/{model}", **ASKED)
    *before, last = answer.chunks()
    assert [c["usage"] for c in before] == [None] * len(before)
    assert (last["choices"], last["usage"]["total_tokens"]) == ([], 30)
    assert answer.text().startswith("You asked")


def test_a_usage_chunk_with_null_choices_gets_empty_ones(house: Installation) -> None:
    """The SDKs run over ``choices`` of every chunk; null would stop them."""
    answer = house.ask("up/choices-null-usage", **ASKED)
    last = answer.chunks()[-1]
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] == 30


def test_running_totals_are_not_added_up(house: Installation) -> None:
    early = {**USAGE, "completion_tokens": 1, "total_tokens": 13}
    events = [chunk(says("a"), usage=early), chunk(says("b"), usage=USAGE), chunk(stops())]
    script = house.canned.stream(b"".join(map(event, events)) + DONE)
    record = house.record(house.ask(f"canned/{script.model}", stream=True).request_id)
    assert (record["input_tokens"], record["output_tokens"]) == (12, 5)


@pytest.mark.parametrize("stream", [False, True])
def test_cached_and_reasoning_tokens_are_parts_and_not_added(
    house: Installation, stream: bool
) -> None:
    events = [chunk(says("a")), chunk(stops()), chunk(usage=USAGE)]
    script = (
        house.canned.stream(b"".join(map(event, events)) + DONE)
        if stream
        else house.canned.answer(answer_body())
    )
    record = house.record(house.ask(f"canned/{script.model}", stream=stream).request_id)
    assert (record["input_tokens"], record["cached_tokens"]) == (12, 8)
    assert (record["output_tokens"], record["reasoning_tokens"]) == (5, 2)


def test_a_truncated_stream_without_usage_is_recorded_without_tokens(
    house: Installation,
) -> None:
    record = house.record(house.ask("up/cut-mid-word", stream=True).request_id)
    assert (record["outcome"], record["output_tokens"]) == ("truncated", 0)
