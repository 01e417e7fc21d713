"""Requests are read strictly, and answers that no model wrote look like any other."""

import json
from typing import Any

import pytest

from steadyhand.core import sse
from steadyhand.core.errors import InvalidJson, InvalidRequest, InvalidValue, MissingField
from steadyhand.gateway.relay import ChatStream
from steadyhand.gateway.wire import openai
from tests.support.chats import HI, chat_body, write

DEEP = 100_000


@pytest.mark.parametrize(
    ("body", "kind", "param"),
    [
        (b"", InvalidJson, None),
        (b"{", InvalidJson, None),
        (b"[]", InvalidJson, None),
        (b"null", InvalidJson, None),
        (b'"text"', InvalidJson, None),
        (chat_body() + b"x", InvalidJson, None),
        (b'{"model":"\xff","messages":[1]}', InvalidJson, None),
        (b'{"model":"m","messages":[{"content":"\xc3"}]}', InvalidJson, None),
        (b'\xef\xbb\xbf{"model":"m","messages":[1]}', InvalidJson, None),
        (b"[" * DEEP, InvalidJson, None),
        (b"[" * DEEP + b"]" * DEEP, InvalidJson, None),
        (b'{"model":"m","messages":[%b]}' % (b"[" * DEEP + b"]" * DEEP), InvalidJson, None),
        (b'{"model":"m","messages":[1],"x":%b}' % (b'{"a":' * DEEP), InvalidJson, None),
        (b"{}", MissingField, "model"),
        (b'{"messages":[{}]}', MissingField, "model"),
        (b'{"model":"m"}', MissingField, "messages"),
        (
            b'{"model":"m","messages":[1],"response_format":{}}',
            MissingField,
            "response_format.type",
        ),
        (b'{"model":"m","messages":[]}', InvalidValue, "messages"),
        (b'{"model":"m","messages":{}}', InvalidValue, "messages"),
        (b'{"model":5,"messages":[1]}', InvalidValue, "model"),
        (b'{"model":null,"messages":[1]}', InvalidValue, "model"),
        (b'{"model":"m","messages":[1],"stream":"yes"}', InvalidValue, "stream"),
        (b'{"model":"m","messages":[1],"n":1.5}', InvalidValue, "n"),
        (
            b'{"model":"m","messages":[1],"stream_options":{"include_usage":3}}',
            InvalidValue,
            "stream_options.include_usage",
        ),
        (
            b'{"model":"m","messages":[1],"steadyhand":{"deadline_ms":"1"}}',
            InvalidValue,
            "steadyhand.deadline_ms",
        ),
        (b'{"model":"m","messages":[1],"model":"n"}', InvalidRequest, "model"),
        (b'{"model":"m","messages":[1],"\\u006dodel":"n"}', InvalidRequest, "model"),
    ],
    ids=lambda value: value[:60].decode(errors="replace") if isinstance(value, bytes) else None,
)
def test_a_bad_body_is_refused_by_name(
    body: bytes, kind: type[InvalidRequest], param: str | None
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        openai.read_chat(body)
    assert type(caught.value) is kind
    assert caught.value.status == 400
    assert caught.value.param == param


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"stream": None, "stream_options": None, "tools": None, "response_format": None},
        {"stream": True, "stream_options": {"include_usage": True, "new": 1}},
        {"tools": [{"type": "function", "function": {"name": "f"}}], "n": 2, "seed": 2**63},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": None}}},
        {"response_format": {"type": "json_object"}},
        {"messages": [{"role": "developer", "content": [{"type": "text", "text": "\u2028"}]}]},
        {
            "steadyhand": {"deadline_ms": 150},
            "unknown": {"deep": [[[]]]},
            "metadata": {"model": "x"},
        },
    ],
    ids=lambda fields: ",".join(fields),
)
def test_a_good_body_is_read(fields: dict[str, Any]) -> None:
    chat, _ = openai.read_chat(chat_body(**fields))
    assert chat.model == "assistant"
    assert chat.stream is fields.get("stream")


def test_a_message_may_be_long_and_the_fields_in_any_order() -> None:
    body = write({"messages": [HI] * 1_000, "stream": True, "model": "m"})
    chat, model_at = openai.read_chat(body)
    assert len(chat.messages) == 1_000
    assert model_at is not None
    assert body[model_at.value : model_at.end] == b'"m"'


def test_a_fixed_answer_has_the_shape_of_any_other() -> None:
    body = json.loads(openai.text_answer(openai.Said("req_1", "assistant", 7, "Back\nsoon \u2028")))
    assert body == {
        "id": "chatcmpl-req_1",
        "object": "chat.completion",
        "created": 7,
        "model": "assistant",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Back\nsoon \u2028", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    }


@pytest.mark.parametrize("with_usage", [False, True])
def test_a_fixed_stream_is_whole_and_consistent(with_usage: bool) -> None:
    said = openai.Said("req_1", "assistant", 7, "Back\nsoon")
    wire = openai.text_events(said, with_usage=with_usage)
    stream = ChatStream(keeps_usage=True)
    stream.feed(wire)
    assert stream.is_whole
    payloads = [sse.payload(event) for event in sse.EventSplitter(10_000).feed(wire)]
    assert payloads.pop() == sse.DONE
    chunks = [json.loads(data) for data in payloads if data is not None]
    assert {(c["id"], c["created"], c["model"], c["object"]) for c in chunks} == {
        ("chatcmpl-req_1", 7, "assistant", "chat.completion.chunk")
    }
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    texts = [choice["delta"].get("content", "") for c in chunks for choice in c["choices"]]
    assert "".join(texts) == "Back\nsoon"
    assert ["usage" in c for c in chunks] == [with_usage] * len(chunks)
    if with_usage:
        assert chunks[-1]["choices"] == []
        assert [c["usage"] for c in chunks[:-1]] == [None] * 3


def test_an_entry_of_the_models_list() -> None:
    assert openai.model_entry("assistant", 7, "steadyhand") == {
        "id": "assistant",
        "object": "model",
        "created": 7,
        "owned_by": "steadyhand",
    }
