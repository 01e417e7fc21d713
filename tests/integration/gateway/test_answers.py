"""What an answer is made of: first chunk, choices, tool calls; whoever gives it."""

import json
from typing import Any

import pytest

from tests.support.chats import DONE, chunk, event, stops
from tests.support.installations import FLOOR_TEXT, Installation
from tests.support.raw_client import Answer

TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {
        "city": {"type": "string"}}, "required": ["city"]}}}
    for name in ("weather", "news")
]  # fmt: skip
EMPTY_TOOL = {"type": "function", "function": {"name": "now", "parameters": {"type": "object"}}}


@pytest.mark.parametrize("model", ["up/steady", "then-error-500", "floored"])
def test_the_first_chunk_has_the_role_and_all_chunks_one_id_time_and_model(
    house: Installation, model: str
) -> None:
    """Of a first rung, of a rung after a fallback, of a static answer alike."""
    chunks = house.ask(model, stream=True).chunks()
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert ["role" in c["choices"][0]["delta"] for c in chunks[1:]] == [False] * (len(chunks) - 1)
    assert len({(c["id"], c["created"], c["model"], c["object"]) for c in chunks}) == 1
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


def test_a_static_answer_streams_usage_as_a_model_would(house: Installation) -> None:
    fields: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
    answer = house.ask("floored", **fields)
    *before, last = answer.chunks()
    assert [c["usage"] for c in before] == [None] * len(before)
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] == 0
    assert answer.text() == FLOOR_TEXT
    assert answer.body.endswith(DONE)


def test_a_static_answer_is_a_whole_chat_completion(house: Installation) -> None:
    answer = house.ask("floored")
    found = answer.json
    assert found["object"] == "chat.completion"
    assert found["model"] == "floored"
    message = {"role": "assistant", "content": FLOOR_TEXT, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    assert found["choices"] == [choice]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "fields",
    [{"tools": TOOLS}, {"response_format": {"type": "json_object"}}],
    ids=["tools", "json"],
)
def test_a_static_text_never_answers_a_request_for_tools_or_json(
    house: Installation, stream: bool, fields: dict[str, Any]
) -> None:
    answer = house.ask("floored", stream=stream, **fields)
    assert (answer.status, answer.error["code"]) == (503, "no_answer")


def calls(answer: Answer) -> dict[int, dict[str, Any]]:
    """Put a stream's tool calls together as SDKs do, by index; each opens exactly once."""
    found: dict[int, dict[str, Any]] = {}
    for chunk_ in answer.chunks():
        for delta in chunk_["choices"][0]["delta"].get("tool_calls") or ():
            call = found.setdefault(delta["index"], {"arguments": "", "opened": 0})
            if "id" in delta:
                call["opened"] += 1
                call |= {"id": delta["id"], "name": delta["function"]["name"]}
                assert delta["type"] == "function"
            call["arguments"] += delta["function"]["arguments"]
    return found


def test_tool_call_deltas_keep_index_id_and_fragments(house: Installation) -> None:
    answer = house.ask("up/steady:parallel=1", stream=True, tools=TOOLS)
    found = calls(answer)
    assert [call["name"] for call in found.values()] == ["weather", "news"]
    assert [call["opened"] for call in found.values()] == [1, 1]
    assert len({call["id"] for call in found.values()}) == 2
    assert all(set(json.loads(call["arguments"])) == {"city"} for call in found.values())
    assert answer.chunks()[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_interleaved_tool_calls_arrive_in_the_order_they_were_sent(house: Installation) -> None:
    def part(index: int, arguments: str, **opening: Any) -> bytes:
        function = {"arguments": arguments} | ({"name": opening.pop("name")} if opening else {})
        call = {"index": index, "function": function, **opening}
        return event(chunk({"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}))

    sent = b"".join((
        part(0, "", id="call_a", type="function", name="weather"),
        part(1, "", id="call_b", type="function", name="news"),
        part(0, '{"ci'), part(1, "{"), part(0, 'ty":"Rome"}'), part(1, "}"),
        event(chunk(stops("tool_calls"))), DONE,
    ))  # fmt: skip
    script = house.canned.stream(sent)
    answer = house.ask(f"canned/{script.model}", stream=True, tools=TOOLS)
    assert answer.body == sent
    assert [c["arguments"] for c in calls(answer).values()] == ['{"city":"Rome"}', "{}"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_without_parameters_is_called_with_an_empty_object(
    house: Installation, stream: bool
) -> None:
    answer = house.ask("up/steady", stream=stream, tools=[EMPTY_TOOL])
    if stream:
        arguments = calls(answer)[0]["arguments"]
    else:
        arguments = answer.json["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(arguments) == {}


@pytest.mark.parametrize("field", ["reasoning", "refusal"])
def test_thoughts_and_refusals_are_content_and_pass(house: Installation, field: str) -> None:
    name = {"reasoning": "reasoning_content", "refusal": "refusal"}[field]
    streamed = house.ask(f"up/{field}", stream=True)
    deltas = [c["choices"][0]["delta"] for c in streamed.chunks()]
    whole = house.ask(f"up/{field}").json["choices"][0]["message"]
    assert "".join(delta.get(name) or "" for delta in deltas) == whole[name]
    assert whole[name]


def test_a_content_filter_s_stop_keeps_its_finish_reason(house: Installation) -> None:
    assert house.ask("up/content-filter").json["choices"][0]["finish_reason"] == "content_filter"
    last = house.ask("up/content-filter", stream=True).chunks()[-1]
    assert last["choices"][0]["finish_reason"] == "content_filter"


def test_several_choices_of_one_stream_each_finish(house: Installation) -> None:
    answer = house.ask("up/steady", stream=True, n=3)
    ended = [
        choice["index"]
        for chunk_ in answer.chunks()
        for choice in chunk_["choices"]
        if choice["finish_reason"] == "stop"
    ]
    assert sorted(ended) == [0, 1, 2]
    assert answer.body.endswith(DONE)
