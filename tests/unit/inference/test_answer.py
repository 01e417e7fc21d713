"""The engine's chunks become OpenAI's stream, or one whole answer."""

import json
from typing import Any

import msgspec
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from steadyhand.core.sse import DONE
from steadyhand.inference.answer import Answer
from steadyhand.inference.request import Wanted
from tests.support.outcomes import events

USAGE = {
    "prompt_tokens": 9,
    "completion_tokens": 2,
    "total_tokens": 11,
    "prompt_tokens_details": {"cached_tokens": 7},
}


def wanted(*, stream: bool, usage: bool = True, call: bool = False) -> Wanted:
    return Wanted(b"", "small", stream, usage, call)


def chunk(delta: dict[str, Any] | None, finish: str | None = None, **fields: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    choice |= {"logprobs": fields.pop("logprobs")} if "logprobs" in fields else {}
    head = {"id": "chatcmpl-1", "created": 5, "model": "/secret/path.gguf", "timings": {}}
    return json.dumps(head | {"choices": [] if delta is None else [choice]} | fields).encode()


def probability(token: str) -> dict[str, Any]:
    return {"token": token, "logprob": -1.0, "bytes": [1], "top_logprobs": []}


SAID = [
    chunk({"role": "assistant", "content": None}, prompt_progress={"processed": 4}),
    chunk({"role": "assistant", "content": None}),
    chunk({"content": "Hel"}, logprobs={"content": [probability("Hel")]}),
    chunk({"content": "lo"}, logprobs={"content": [probability("lo")]}),
    chunk({}, "stop"),
    chunk(None, usage=USAGE),
]


def play(asked: Wanted, said: list[bytes]) -> tuple[Answer, bytes]:
    answer = Answer(asked)
    sent = b"".join([answer.feed(data) for data in said])
    return answer, sent + answer.end()


def test_a_stream() -> None:
    answer, sent = play(wanted(stream=True), SAID)
    *chunks, last = events(sent)
    assert last == DONE
    read = [ChatCompletionChunk.model_validate_json(one) for one in chunks]
    assert [c.choices[0].delta.content for c in read[:-1]] == [None, "Hel", "lo", None]
    assert read[0].choices[0].delta.role == "assistant"
    assert read[-2].choices[0].finish_reason == "stop"
    assert (read[-1].choices, json.loads(chunks[-1])["usage"]) == ([], USAGE)
    assert {c.model for c in read} == {"small"}
    assert b"secret" not in sent
    assert b"timings" not in sent
    assert answer.has_content
    assert answer.is_finished
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 2


def test_usage_is_only_sent_to_those_who_ask() -> None:
    _, sent = play(wanted(stream=True, usage=False), SAID)
    assert b"usage" not in sent


def test_a_whole_answer() -> None:
    answer, sent = play(wanted(stream=False), SAID)
    whole = ChatCompletion.model_validate_json(sent)
    assert whole.choices[0].message.content == "Hello"
    assert whole.choices[0].finish_reason == "stop"
    assert whole.choices[0].logprobs is not None
    assert [p.token for p in whole.choices[0].logprobs.content or []] == ["Hel", "lo"]
    assert whole.usage is not None
    assert json.loads(sent)["usage"] == USAGE
    assert answer.is_finished


def test_nothing_said_is_an_empty_text() -> None:
    _, sent = play(wanted(stream=False), [chunk({}, "length")])
    read = json.loads(sent)
    assert read["choices"][0]["message"] == {"role": "assistant", "content": ""}
    assert read["usage"] is None


def test_tool_calls_of_the_template_are_put_together() -> None:
    first = {"name": "f", "arguments": ""}
    said = [
        chunk({"reasoning_content": "hm"}),
        chunk({"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": first}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"x":'}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]}),
        chunk({"tool_calls": [{"index": 1, "id": "b", "function": {"name": "g"}}, {"index": 1}]}),
        chunk({}, "tool_calls"),
    ]
    _, sent = play(wanted(stream=False), said)
    choice = ChatCompletion.model_validate_json(sent).choices[0]
    calls = json.loads(sent)["choices"][0]["message"]["tool_calls"]
    assert calls == [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}},
        {"id": "b", "type": "function", "function": {"name": "g", "arguments": ""}},
    ]
    assert choice.message.content is None
    assert choice.finish_reason == "tool_calls"


FORCED = [
    chunk({"role": "assistant", "content": None}),
    chunk({"content": '{"name": "get_'}),
    chunk({"content": 'weather", "arguments": {"ci'}),
    chunk({"content": 'ty": "Paris"}'}),
    chunk({"content": "}"}),
    chunk({}, "stop"),
]


@pytest.mark.parametrize("stream", [True, False])
def test_a_forced_call_is_a_tool_call(stream: bool) -> None:
    answer, sent = play(wanted(stream=stream, call=True), FORCED)
    if stream:
        read = [ChatCompletionChunk.model_validate_json(one) for one in events(sent)[:-1]]
        parts = [part for c in read for part in c.choices[0].delta.tool_calls or []]
        assert parts[0].id is not None
        assert [part.function.name for part in parts if part.function and part.function.name] == [
            "get_weather"
        ]
        text = "".join(part.function.arguments or "" for part in parts if part.function)
        assert all(not c.choices[0].delta.content for c in read)
        finish = read[-1].choices[0].finish_reason
    else:
        choice = ChatCompletion.model_validate_json(sent).choices[0]
        message = json.loads(sent)["choices"][0]["message"]
        text = message["tool_calls"][0]["function"]["arguments"]
        assert message["content"] is None
        finish = choice.finish_reason
    assert json.loads(text) == {"city": "Paris"}
    assert finish == "tool_calls"
    assert answer.has_content


def test_a_forced_call_that_is_cut_before_its_name_is_text() -> None:
    _, sent = play(wanted(stream=False, call=True), [*FORCED[:2], chunk({}, "length")])
    choice = json.loads(sent)["choices"][0]
    assert choice["message"]["content"] == '{"name": "get_'
    assert choice["finish_reason"] == "length"


def test_what_is_no_chunk_is_an_error() -> None:
    with pytest.raises(msgspec.DecodeError):
        Answer(wanted(stream=True)).feed(b"nonsense")
