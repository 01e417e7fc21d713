"""What a stream is taken to mean, and what of it goes on."""

import json
from typing import Any

import pytest

from steadyhand.gateway import relay
from steadyhand.gateway.relay import ChatStream
from tests.support.chats import (
    DONE,
    USAGE,
    JsonObject,
    begins,
    chunk,
    error_body,
    event,
    says,
    stops,
    text_events,
)

CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}


def read(*events: bytes, keeps_usage: bool = True) -> tuple[ChatStream, bytes]:
    """Feed ``events`` one by one; return the stream and what went on."""
    stream = ChatStream(keeps_usage=keeps_usage)
    return stream, b"".join([stream.feed(one) for one in events])


def test_a_whole_stream_goes_on_as_it_came_but_for_its_end() -> None:
    events = text_events("Hel", "lo")
    stream, passed = read(*events)
    assert passed == b"".join(events[:-1])
    assert stream.is_whole
    assert stream.finish_reason == "stop"
    assert stream.served_model == "m-2026"
    assert stream.usage is not None
    assert (stream.usage.prompt_tokens, stream.usage.completion_tokens) == (12, 5)


def test_usage_that_was_not_asked_for_is_taken_out() -> None:
    _, passed = read(*text_events("Hel", "lo", with_usage=True), keeps_usage=False)
    assert passed == b"".join(text_events("Hel", "lo", with_usage=False)[:-1])


@pytest.mark.parametrize(
    "end",
    [
        [chunk(stops(), usage=None), chunk(usage=USAGE)],
        [chunk(stops(), usage=USAGE)],
        [chunk(stops(), usage={"prompt_tokens": 12, "completion_tokens": 1}), chunk(usage=USAGE)],
        [chunk(stops()), chunk().replace(b'"choices":[]', b'"choices":null,"usage":1')],
    ],
    ids=["by itself", "on the last choice", "on every chunk", "choices null"],
)
def test_usage_is_understood_wherever_it_stands(end: list[bytes]) -> None:
    end = [one.replace(b'"usage":1', b'"usage":' + json.dumps(USAGE).encode()) for one in end]
    events = [event(chunk(says("Hi"))), *map(event, end), DONE]
    stream, passed = read(*events, keeps_usage=False)
    assert stream.is_whole
    assert stream.usage is not None
    assert stream.usage.completion_tokens == 5
    assert stream.usage.prompt_tokens_details is not None
    assert stream.usage.prompt_tokens_details.cached_tokens == 8
    assert b"usage" not in passed
    assert passed == event(chunk(says("Hi"))) + event(chunk(stops()))


FIRST = {"prompt_tokens": 12, "completion_tokens": 1}


@pytest.mark.parametrize(
    ("end", "owed"),
    [
        ([chunk(stops(), usage=None), chunk(usage=USAGE)], []),
        ([chunk(stops(), usage=USAGE)], [chunk(usage=USAGE)]),
        ([chunk(says("!"), usage=FIRST), chunk(stops(), usage=USAGE)], [chunk(usage=USAGE)]),
        ([chunk(stops(), usage=FIRST), chunk(usage=USAGE)], []),
    ],
    ids=["by itself", "on the last choice", "on every chunk", "on choices and by itself"],
)
def test_who_asked_gets_usage_once_and_last_wherever_it_stood(
    end: list[bytes], owed: list[bytes]
) -> None:
    """Clients that add up what they get (LangChain, pydantic-ai) would count running totals."""
    events = [event(chunk(says("Hi"), usage=None)), *map(event, end)]
    stream, passed = read(*events, DONE)
    assert stream.is_whole
    expected = [json.loads(one) for one in (*end, *owed)]
    for one in expected:
        if one["choices"]:
            one["usage"] = None
    found = [json.loads(one[6:]) for one in passed.split(b"\n\n")[1:] if one]
    assert found == expected
    assert [one["usage"] for one in found if one["usage"]] == [USAGE]


def test_usage_stands_last_also_where_everything_came_at_once() -> None:
    stream = ChatStream(keeps_usage=True)
    whole = event(chunk(says("Hi"))) + event(chunk(stops(), usage=USAGE)) + DONE
    assert stream.feed(whole).endswith(event(chunk(usage=USAGE)))


def test_a_stream_that_is_not_whole_owes_no_usage() -> None:
    _, passed = read(event(chunk(says("Hi"), usage=USAGE)), DONE)
    assert passed == event(chunk(says("Hi"), usage=None))


def test_a_chunk_without_choices_that_is_not_usage_goes_on() -> None:
    filters = chunk(prompt_filter_results=[{"index": 0}], usage=None)  # Azure's first chunk
    _, passed = read(event(filters), event(chunk(says("Hi"))), keeps_usage=False)
    assert passed.startswith(event(chunk(prompt_filter_results=[{"index": 0}])))


def test_a_chunk_over_several_lines_stays_one_event_without_its_usage() -> None:
    lines = (
        b'data: {"choices":[{"index":0,\ndata:"delta":{"content":"Hi"}}],\ndata: "usage":null}\n\n'
    )
    stream, passed = read(lines, keeps_usage=False)
    assert stream.has_content
    again, _ = read(passed)
    assert again.has_content
    assert not again.malformed
    assert b"usage" not in passed


def test_other_lines_of_an_event_and_its_line_endings_stay() -> None:
    with_usage = b"id: 7\r\nevent: chunk\r\ndata:" + chunk(says("Hi"), usage=None) + b"\r\n\r\n"
    without = b"id: 7\r\nevent: chunk\r\ndata:" + chunk(says("Hi")) + b"\r\n\r\n"
    _, passed = read(with_usage, keeps_usage=False)
    assert passed == without


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "Hi"},
        {"reasoning_content": "Hm"},
        {"reasoning": "Hm"},
        {"refusal": "No"},
        {"tool_calls": [CALL]},
        {"function_call": {"name": "f", "arguments": ""}},
        {"audio": {"id": "audio_1"}},
    ],
    ids=lambda delta: next(iter(delta)),
)
def test_each_kind_of_content_commits(delta: JsonObject) -> None:
    stream, _ = read(event(chunk(begins())))
    assert not stream.has_content
    stream.feed(event(chunk({"index": 0, "delta": delta, "finish_reason": None})))
    assert stream.has_content


@pytest.mark.parametrize(
    "first",
    [
        event(chunk(begins())),
        event(chunk({"index": 0, "delta": None, "finish_reason": None})),
        event(chunk({"index": 0, "finish_reason": None})),
        event(chunk()),
        b": keep-alive\n\n",
        b"event: ping\n\n",
    ],
)
def test_what_says_nothing_does_not_commit(first: bytes) -> None:
    stream, _ = read(first)
    assert not stream.has_content


def test_comments_go_on_only_after_content() -> None:
    """Before it, nothing may reach the client; after it, they keep its connection alive."""
    comment = b": keep-alive\n\n"
    said = event(chunk(says("Hi")))
    assert read(comment, said, comment)[1] == said + comment


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([says("a"), stops()], True),
        ([says("a", 0), says("b", 1), stops(index=0), stops(index=1)], True),
        ([says("a", 0), says("b", 1), stops(index=1), stops(index=0)], True),
        ([says("a", 0), says("b", 1), stops(index=0)], False),
        ([says("a")], False),
        ([], False),
        ([stops()], True),  # an empty answer is a whole one
        ([says("a"), stops(), says("b")], True),  # a late chunk does not open the choice again
    ],
)
def test_whole_means_a_finish_reason_for_each_choice_then_done(
    events: list[JsonObject], expected: bool
) -> None:
    stream, _ = read(*(event(chunk(choice)) for choice in events))
    assert not stream.is_whole, "[DONE] has not come"
    stream.feed(DONE)
    assert stream.is_done
    assert stream.is_whole is expected


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([stops("length", 1), stops("stop", 0)], "stop"),
        ([stops("stop", 0), stops("length", 1)], "stop"),
        ([stops("tool_calls", 1)], "tool_calls"),
        ([stops("tool_calls", 2), stops("length", 1)], "tool_calls"),
        ([says("a")], ""),
    ],
)
def test_the_finish_reason_is_the_first_choices(events: list[JsonObject], expected: str) -> None:
    assert read(*(event(chunk(choice)) for choice in events))[0].finish_reason == expected


def test_several_choices_in_one_chunk_are_all_read() -> None:
    stream, _ = read(
        event(chunk(says("a", 0), says("b", 1))), event(chunk(stops(), stops(index=1)))
    )
    stream.feed(DONE)
    assert stream.is_whole


@pytest.mark.parametrize(
    "end",
    [
        event(error_body("overloaded", type="server_error")),
        event(b'{"error":"plain words"}'),
        b"event: error\ndata: " + error_body() + b"\n\n",
        event(chunk(says("and more"), error={"message": "cut"})),
    ],
)
def test_nothing_goes_on_from_an_error_event_on(end: bytes) -> None:
    said = event(chunk(says("Hi")))
    stream, passed = read(said, end, event(chunk(says("ignored"))), DONE)
    assert passed == said
    assert stream.error is not None
    assert stream.error in end
    assert not stream.is_done


def test_a_null_error_is_none() -> None:
    stream, passed = read(event(chunk(says("Hi"), error=None)))
    assert stream.error is None
    assert passed == event(chunk(says("Hi"), error=None))


@pytest.mark.parametrize(
    "data",
    [
        b"<html>",
        b"{",
        b"[]",
        b"7",
        b"",
        b'{"choices":[{"delta":5}]}',
        b'{"choices":"no"}',
        b'{"choices":[{"delta":{"content":"\xff"}}]}',
        b'{"x":' + b"[" * 100_000,
        b'{"choices":[{"index":0}],"usage":null,"usage":{}}',
    ],
    ids=lambda data: data[:40].decode(errors="replace"),
)
@pytest.mark.parametrize("keeps_usage", [False, True])
def test_what_is_no_chunk_ends_the_stream(data: bytes, keeps_usage: bool) -> None:
    said = event(chunk(says("Hi")))
    events = (said, event(data), event(chunk(says("ignored"))), DONE)
    stream, passed = read(*events, keeps_usage=keeps_usage)
    assert passed == said
    assert stream.malformed
    assert not stream.is_whole


def test_an_event_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "MAX_EVENT_BYTES", 1000)
    stream, passed = read(event(chunk(says("Hi"))), b"data: " + b"x" * 1000)
    assert "longer than" in stream.malformed
    assert passed == event(chunk(says("Hi")))


def test_line_separators_of_unicode_are_text() -> None:
    said = event(chunk(says("a\u2028b\u2029c\x85d")))
    assert read(said)[1] == said
    assert "\u2028".encode() in said


def test_unknown_fields_and_long_numbers_go_on_untouched() -> None:
    data = b'{"x":12345678901234567890,"choices":[{"index":0,"delta":{"content":"1","new":1.10}}]}'
    assert read(event(data), keeps_usage=False)[1] == event(data)


def test_a_stream_in_lone_cr_is_whole_at_its_end() -> None:
    events = [one.replace(b"\n", b"\r") for one in text_events("Hi")]
    stream, _ = read(*events, b"")
    assert stream.is_whole


def test_the_served_model_is_the_first_that_is_named() -> None:
    models: list[Any] = ["", None, "m-1", "m-2"]
    stream, _ = read(*(event(chunk(says("x"), model=model)) for model in models))
    assert stream.served_model == "m-1"
