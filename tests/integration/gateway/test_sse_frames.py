"""Server-sent events on the way through: how upstream may write them, how clients get them."""

import json

import pytest

from tests.support.canned_upstream import Gate
from tests.support.chats import DONE, chunk, event, says, stops
from tests.support.installations import Installation

STEADY = "You asked: “How do I create an index?”. A simulated model answers; no model was asked."


def test_each_frame_is_data_and_one_json_value_and_a_blank_line(house: Installation) -> None:
    answer = house.ask("up/steady", stream=True)
    frames = answer.body.split(b"\n\n")
    assert frames.pop() == b""
    assert frames.pop() == b"data: [DONE]"
    for frame in frames:
        assert frame.startswith(b"data: {")
        assert json.loads(frame[6:])["object"] == "chat.completion.chunk"


def test_a_stream_is_typed_as_events_and_says_that_nobody_may_buffer_it(
    house: Installation,
) -> None:
    answer = house.ask("up/steady", stream=True)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.is_whole


@pytest.mark.parametrize("stream", [False, True])
def test_no_answer_is_compressed_even_if_the_client_would_take_it(
    house: Installation, stream: bool
) -> None:
    wish = {"Accept-Encoding": "gzip, deflate, br"}
    answer = house.ask("up/steady", stream=stream, headers=wish)
    assert "content-encoding" not in answer.headers
    assert answer.text() == STEADY


def test_each_event_is_flushed_when_it_comes(house: Installation) -> None:
    """The upstream writes the next event only when the client has the one before."""
    words = ["one", " two", " three", " four"]
    gates = [Gate() for _ in words]
    pairs = zip(words, gates, strict=True)
    steps = [step for word, gate in pairs for step in (event(chunk(says(word))), gate)]
    script = house.canned.stream(*steps, event(chunk(stops())) + DONE)
    with house.begin(f"canned/{script.model}", stream=True) as (line, answer):
        for word, gate in zip(words, gates, strict=True):
            assert json.dumps(word).encode() in line.piece(answer)
            gate.open()
        line.rest(answer)
    assert answer.text() == "one two three four"
    assert answer.body.endswith(DONE)


def test_a_dripping_stream_arrives_drop_by_drop(house: Installation) -> None:
    answer = house.ask("up/drip:gap_ms=150,tokens=5", stream=True)
    arrivals = [at_s for at_s, _ in answer.pieces]
    assert len(arrivals) >= 4
    assert arrivals[-1] - arrivals[0] > 0.3


@pytest.mark.parametrize(
    "writing", ["crlf", "comments", "no-space", "multi-line-data", "fragments"]
)
def test_every_legal_way_to_write_events_is_understood(house: Installation, writing: str) -> None:
    answer = house.ask(f"up/{writing}", stream=True, stream_options={"include_usage": True})
    assert answer.text() == STEADY
    assert answer.body.endswith(DONE)
    record = house.record(answer.request_id)
    assert (record["outcome"], record["finish_reason"]) == ("answered", "stop")
    assert record["output_tokens"] == 16


def test_a_character_cut_in_two_by_the_network_arrives_whole(house: Installation) -> None:
    answer = house.ask("up/fragments:answer=na%C3%AFve%20%F0%9F%98%80%20caf%C3%A9", stream=True)
    assert answer.text() == "naïve 😀 café"


@pytest.mark.parametrize("stream", [False, True])
def test_unicode_line_separators_inside_json_end_no_line(house: Installation, stream: bool) -> None:
    answer = house.ask("up/unicode-separators", stream=stream)
    assert "\u2028".encode() in answer.body
    assert answer.text() == (
        "One line\u2028two lines\u2029three lines\u0085and a last one, café \U0001f600."
    )


def test_comments_after_the_first_content_reach_the_client_as_they_are(
    house: Installation,
) -> None:
    gate = Gate()
    script = house.canned.stream(
        event(chunk(says("so"))),
        gate,
        b": still thinking\n\n",
        event(chunk(stops())) + DONE,
    )
    with house.begin(f"canned/{script.model}", stream=True) as (line, answer):
        line.piece(answer)
        gate.open()
        line.rest(answer)
    assert b"\n\n: still thinking\n\n" in answer.body
    assert answer.text() == "so"
