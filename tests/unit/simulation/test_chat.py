"""The simulated model says the same streamed and plain, in OpenAI's shape."""

import base64
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from steadyhand.simulation.answer import Answer, compose, tokenise
from steadyhand.simulation.chat import Heading, chunks, completion
from steadyhand.simulation.dials import Dials
from steadyhand.simulation.draws import Draws
from steadyhand.simulation.request import ChatRequest, read
from tests.support.simulators import chat_body

HEADING = Heading("chatcmpl-1", 1_793_491_200, "steady", "fp_simulated")
DRAWS = Draws(0, 1, b"")
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
CLOCK = {"type": "function", "function": {"name": "clock"}}
CUSTOM = {"type": "custom", "custom": {"name": "sql"}}
STRUCTURED = {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA}}


def asked(**fields: Any) -> ChatRequest:
    return read(chat_body(**fields))


def answered(request: ChatRequest, behaviour: str = "steady", dials: Dials | None = None) -> Answer:
    return compose(behaviour, request, dials or Dials(), DRAWS)


def joined(request: ChatRequest, answer: Answer) -> list[dict[str, Any]]:
    """Put a stream together as a client does: one message for each choice."""
    made: dict[int, dict[str, Any]] = {}
    for chunk in chunks(HEADING, request, answer, "final"):
        ChatCompletionChunk.model_validate(chunk)
        for choice in chunk["choices"]:
            message = made.setdefault(choice["index"], {"calls": [], "logprobs": []})
            delta = choice["delta"]
            for field in ("content", "refusal", "reasoning_content"):
                if delta.get(field) is not None:
                    message[field] = message.get(field, "") + delta[field]
            for part in delta.get("tool_calls", ()):
                if "id" in part:
                    assert part["index"] == len(message["calls"])
                    message["calls"].append(dict(part["function"], id=part["id"]))
                else:
                    message["calls"][part["index"]]["arguments"] += part["function"]["arguments"]
            message["logprobs"] += (choice["logprobs"] or {}).get("content", [])
            message["finish"] = choice["finish_reason"]
    return [made[index] for index in sorted(made)]


REQUESTS = st.fixed_dictionaries(
    {},
    optional={
        "n": st.integers(1, 4),
        "stop": st.sampled_from(["index", ["simulated", "model"], [], ["", "ab\u2028"]]),
        "max_tokens": st.integers(1, 30),
        "max_completion_tokens": st.integers(1, 30),
        "logprobs": st.just(value=True),
        "tools": st.sampled_from([[WEATHER], [WEATHER, CLOCK], [CUSTOM], []]),
        "tool_choice": st.sampled_from(["auto", "none", "required"]),
        "parallel_tool_calls": st.booleans(),
        "response_format": st.sampled_from([STRUCTURED, {"type": "json_object"}, {"type": "text"}]),
    },
)
SPEAKING = ["steady", "reasoning", "refusal", "content-filter", "unicode-separators", "quote"]


@given(REQUESTS, st.sampled_from(SPEAKING), st.integers(0, 40), st.booleans())
def test_deltas_join_to_the_plain_answer(
    fields: dict[str, Any], behaviour: str, tokens: int, parallel: bool
) -> None:
    request = asked(stream=True, **fields)
    answer = answered(request, behaviour, Dials(tokens=tokens, parallel=int(parallel)))
    whole = completion(HEADING, request, answer)
    ChatCompletion.model_validate(whole)
    streamed = joined(request, answer)
    assert len(streamed) == len(whole["choices"]) == (request.n or 1)
    for choice, message in zip(whole["choices"], streamed, strict=True):
        said = choice["message"]
        assert message.get("content") == said["content"]
        assert message.get("refusal") == said["refusal"]
        assert message.get("reasoning_content") == said.get("reasoning_content")
        calls = said.get("tool_calls", [])
        assert message["calls"] == [dict(call["function"], id=call["id"]) for call in calls]
        assert message["finish"] == choice["finish_reason"]
        assert message["logprobs"] == (choice["logprobs"] or {"content": []})["content"]


@given(st.text())
def test_tokens_join_to_their_text(text: str) -> None:
    assert "".join(tokenise(text)) == text


def text_of(answer: Answer, index: int = 0) -> str:
    return "".join(answer.choices[index].tokens)


def test_the_question_comes_back() -> None:
    assert "How do I create an index?" in text_of(answered(asked()))


def test_choices_differ() -> None:
    answer = answered(asked(n=3))
    assert len({text_of(answer, index) for index in range(3)}) == 3


@pytest.mark.parametrize(
    ("fields", "text", "finish"),
    [
        ({"stop": "two"}, "one ", "stop"),
        ({"stop": ["four", "three"]}, "one two ", "stop"),
        ({"stop": [""]}, "one two three four five", "stop"),
        ({"max_tokens": 2}, "one two", "length"),
        ({"max_tokens": 2, "max_completion_tokens": 3}, "one two three", "length"),
        ({"max_tokens": 5}, "one two three four five", "stop"),
    ],
)
def test_stop_and_limits(fields: dict[str, Any], text: str, finish: str) -> None:
    answer = answered(asked(**fields), dials=Dials(answer="one two three four five"))
    assert (text_of(answer), answer.choices[0].finish) == (text, finish)


@pytest.mark.parametrize("count", [1, 7, 200])
def test_a_length_can_be_asked_for(count: int) -> None:
    assert len(answered(asked(), dials=Dials(tokens=count)).choices[0].tokens) == count


TOOL_RESULT = [
    {"role": "user", "content": "How warm is it?"},
    {"role": "assistant", "content": None, "tool_calls": []},
    {"role": "tool", "tool_call_id": "call_1", "content": "21 degrees"},
]
NAMED = {"type": "function", "function": {"name": "clock"}}


@pytest.mark.parametrize(
    ("fields", "parallel", "called"),
    [
        ({"tools": [WEATHER, CLOCK]}, 0, ["weather"]),
        ({"tools": [WEATHER, CLOCK]}, 1, ["weather", "clock"]),
        ({"tools": [WEATHER, CLOCK], "parallel_tool_calls": False}, 1, ["weather"]),
        ({"tools": [WEATHER, CLOCK], "tool_choice": NAMED}, 1, ["clock"]),
        ({"tools": [WEATHER], "tool_choice": "none"}, 0, []),
        ({"tools": [WEATHER], "messages": TOOL_RESULT}, 0, []),
        ({"tools": [WEATHER], "messages": TOOL_RESULT, "tool_choice": "required"}, 0, ["weather"]),
        ({"tools": [CUSTOM]}, 0, []),
        ({"tools": []}, 0, []),
        ({}, 1, []),
    ],
)
def test_tools_are_called(fields: dict[str, Any], parallel: int, called: list[str]) -> None:
    choice = answered(asked(**fields), dials=Dials(parallel=parallel)).choices[0]
    assert [call.name for call in choice.calls] == called
    assert choice.finish == ("tool_calls" if called else "stop")
    for call in choice.calls:
        arguments = json.loads(call.arguments)
        jsonschema.validate(arguments, SCHEMA if call.name == "weather" else {"type": "object"})


def test_call_ids_are_unique_over_choices() -> None:
    answer = answered(asked(n=3, tools=[WEATHER, CLOCK]), dials=Dials(parallel=1))
    ids = [call.id for choice in answer.choices for call in choice.calls]
    assert len(set(ids)) == 6


def test_a_tools_result_is_repeated() -> None:
    assert "21 degrees" in text_of(answered(asked(messages=TOOL_RESULT)))


def test_structured_outputs_obey_their_schema() -> None:
    jsonschema.validate(json.loads(text_of(answered(asked(response_format=STRUCTURED)))), SCHEMA)


@pytest.mark.parametrize(
    "wanted", [{"type": "json_object"}, {"type": "json_schema"}, {"type": "json_schema",
    "json_schema": {"name": "any"}}]
)  # fmt: skip
def test_an_object_is_made_where_no_schema_says_which(wanted: dict[str, Any]) -> None:
    assert isinstance(json.loads(text_of(answered(asked(response_format=wanted)))), dict)


def test_images_and_audio_are_counted() -> None:
    picture = base64.b64encode(b"p" * 1234).decode()
    sound = base64.b64encode(b"s" * 4321).decode()
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "image_url", "image_url": {"url": "data:image/gif;base64,!!"}},
        {"type": "input_audio", "input_audio": {"data": sound, "format": "mp3"}},
    ]
    answer = answered(asked(messages=[{"role": "user", "content": parts}]))
    for expected in ("an image (image/png, 1234 bytes)", "audio (mp3, 4321 bytes)",
                     "an image by address", "an image (image/gif, 0 bytes)"):  # fmt: skip
        assert expected in text_of(answer)
    assert answer.prompt_tokens > 3 * 85
    assert answer.prompt_audio_tokens == 43


@pytest.mark.parametrize("place", ["final", "null-choices", "last-choice", "every"])
def test_usage_comes_where_it_should(place: str) -> None:
    options = {"include_usage": True}
    request = asked(stream=True, stream_options=options)
    answer = answered(request, "reasoning")
    whole = completion(HEADING, request, answer)["usage"]
    made = list(chunks(HEADING, request, answer, place))
    assert all("usage" in chunk for chunk in made)
    assert made[-1]["usage"] == whole
    before = [chunk["usage"] for chunk in made[:-1]]
    assert all(before) if place == "every" else not any(before)
    expected: dict[str, list[Any] | None] = {"final": [], "null-choices": None}
    if place in expected:
        assert made[-1]["choices"] == expected[place]
    else:
        assert made[-1]["choices"][0]["finish_reason"] == "stop"
    assert whole["completion_tokens_details"]["reasoning_tokens"] > 0
    assert whole["total_tokens"] == whole["prompt_tokens"] + whole["completion_tokens"]


@pytest.mark.parametrize("options", [None, {}, {"include_usage": False}, {"include_usage": None}])
def test_no_usage_where_none_is_asked_for(options: dict[str, Any] | None) -> None:
    request = asked(stream=True, stream_options=options)
    made = list(chunks(HEADING, request, answered(request), "every"))
    assert not any("usage" in chunk for chunk in made)


def test_logprobs_follow_the_tokens() -> None:
    request = asked(logprobs=True, top_logprobs=3, stream=True)
    answer = answered(request)
    found = completion(HEADING, request, answer)["choices"][0]["logprobs"]["content"]
    assert "".join(entry["token"] for entry in found) == text_of(answer)
    assert b"".join(bytes(entry["bytes"]) for entry in found) == text_of(answer).encode()
    assert {len(entry["top_logprobs"]) for entry in found} == {3}


INSTRUCTIONS = [
    {"role": "system", "content": "Be kind. VACUUM reclaims storage occupied by dead tuples. "
     "To create an index on a column, use CREATE INDEX name ON table (column).\n"
     "Roles own databases and other objects."},
    {"role": "user", "content": "How do I create an index?"},
]  # fmt: skip


def test_quote_finds_the_sentence_that_fits() -> None:
    answer = answered(asked(messages=INSTRUCTIONS), "quote")
    assert text_of(answer).startswith("To create an index on a column, use CREATE INDEX")


@pytest.mark.parametrize("messages", [INSTRUCTIONS[1:], [
    {"role": "developer", "content": "Nothing of that sort here at all."},
    {"role": "user", "content": "zzz"}]])  # fmt: skip
def test_quote_repeats_the_question_if_nothing_fits(messages: list[Any]) -> None:
    assert "You asked" in text_of(answered(asked(messages=messages), "quote"))
