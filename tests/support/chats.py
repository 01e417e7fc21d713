"""Chat requests, answers and streams as clients and providers write them."""

import json
from typing import Any

JsonObject = dict[str, Any]

HI: JsonObject = {"role": "user", "content": "Hi"}
USAGE: JsonObject = {
    "prompt_tokens": 12,
    "completion_tokens": 5,
    "total_tokens": 17,
    "prompt_tokens_details": {"cached_tokens": 8},
    "completion_tokens_details": {"reasoning_tokens": 2},
}
DONE = b"data: [DONE]\n\n"


def write(value: object) -> bytes:
    """Return JSON without spaces, as providers write it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def chat_body(model: str = "assistant", **fields: Any) -> bytes:
    """Return a request body."""
    return write({"model": model, "messages": [HI], **fields})


def answer_body(content: str = "Hello", **fields: Any) -> bytes:
    """Return a whole answer of one choice."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": content, "refusal": None},
        "logprobs": None,
        "finish_reason": "stop",
    }
    frame = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m-2026"}
    return write({**frame, "choices": [choice], "usage": USAGE, **fields})


def error_body(message: str = "no", **fields: Any) -> bytes:
    """Return an error in OpenAI's shape."""
    return write(
        {"error": {"message": message, "type": None, "param": None, "code": None} | fields}
    )


def chunk(*choices: JsonObject, **fields: Any) -> bytes:
    """Return the JSON of one chunk."""
    frame = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m-2026"}
    return write({**frame, "choices": list(choices), **fields})


def says(content: str, index: int = 0) -> JsonObject:
    """Return a choice that adds text."""
    return {"index": index, "delta": {"content": content}, "finish_reason": None}


def begins(index: int = 0) -> JsonObject:
    """Return the choice that opens a stream: a role, and nothing said yet."""
    delta = {"role": "assistant", "content": "", "refusal": None}
    return {"index": index, "delta": delta, "finish_reason": None}


def stops(reason: str = "stop", index: int = 0) -> JsonObject:
    """Return the choice that ends a stream."""
    return {"index": index, "delta": {}, "finish_reason": reason}


def event(data: bytes) -> bytes:
    """Return one event of a stream."""
    return b"data: " + data + b"\n\n"


def text_events(*texts: str, with_usage: bool = True) -> list[bytes]:
    """Return the events of a whole stream that says ``texts``, as OpenAI writes them."""
    usage: JsonObject = {"usage": None} if with_usage else {}
    chunks = [chunk(begins(), **usage)]
    chunks += [chunk(says(text), **usage) for text in texts]
    chunks.append(chunk(stops(), **usage))
    if with_usage:
        chunks.append(chunk(usage=USAGE))
    return [*map(event, chunks), DONE]
