"""What the house reads of requests, answers and chunks, and that it chokes on nothing else."""

from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from steadyhand.core.chat import Answer, ChatRequest, Chunk, Delta, is_given

CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}


def read_delta(delta: dict[str, Any]) -> Delta:
    return msgspec.json.decode(msgspec.json.encode(delta), type=Delta)


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "Hi"},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}]},
        {"reasoning_content": "Hm"},
        {"reasoning": "Hm"},
        {"refusal": "No"},
        {"tool_calls": [CALL]},
        {"function_call": {"name": "f", "arguments": ""}},
        {"audio": {"id": "audio_1", "data": ""}},
    ],
    ids=lambda delta: next(iter(delta)),
)
def test_anything_a_reader_could_show_or_act_on_is_content(delta: dict[str, Any]) -> None:
    assert read_delta(delta).has_content()
    assert read_delta({"role": "assistant", **delta}).has_content()


@pytest.mark.parametrize(
    "delta",
    [
        {},
        {"role": "assistant"},
        {"role": "assistant", "content": "", "refusal": None},
        {"content": None, "reasoning": None, "reasoning_content": ""},
        {"tool_calls": None, "function_call": None, "audio": None},
        {"tool_calls": []},
        {"something_new": "that nobody knows yet"},
    ],
)
def test_a_role_nulls_and_empty_values_are_not_content(delta: dict[str, Any]) -> None:
    assert not read_delta(delta).has_content()


def test_a_field_kept_as_it_came_may_be_absent_null_or_anything() -> None:
    read = {
        text: msgspec.json.decode(b'{"error":%b}' % text, type=Answer).error
        for text in (b"null", b'{"message": "no"}', b'"no"', b"[1, 2]")
    }
    assert {text for text, error in read.items() if is_given(error)} == read.keys() - {b"null"}
    assert not is_given(UNSET)
    assert not is_given(msgspec.json.decode(b"{}", type=Answer).error)


def test_a_schema_is_kept_byte_by_byte() -> None:
    body = (
        b'{"model":"m","messages":[{}],"response_format":{"type":"json_schema",'
        b'"json_schema":{"name":"n","schema":{"type":  "object","x":12345678901234567890}}}}'
    )
    wanted = msgspec.json.decode(body, type=ChatRequest).response_format
    assert wanted is not None
    assert wanted.json_schema is not None
    schema = wanted.json_schema.schema
    assert is_given(schema)
    assert bytes(schema) == b'{"type":  "object","x":12345678901234567890}'


def test_an_answer_as_providers_write_it_is_read() -> None:
    body = {
        "id": "chatcmpl-1",
        "model": "gpt-x-2026",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hi", "tool_calls": [CALL]},
                "finish_reason": "stop",
                "logprobs": None,
            }
        ],
        "usage": {
            "prompt_tokens": 12,
            "completion_tokens": 3,
            "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 2},
        },
        "error": None,
    }
    answer = msgspec.json.decode(msgspec.json.encode(body), type=Answer)
    assert answer.choices is not None
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "gpt-x-2026"
    assert answer.usage is not None
    assert answer.usage.prompt_tokens_details is not None
    assert answer.usage.prompt_tokens_details.cached_tokens == 8


@pytest.mark.parametrize("kind", [Answer, Chunk])
def test_a_model_may_be_null(kind: type[Answer | Chunk]) -> None:
    read = msgspec.json.decode(b'{"model":null,"choices":null,"usage":null}', type=kind)
    assert not read.model
    assert read.choices is None
    assert read.usage is None
