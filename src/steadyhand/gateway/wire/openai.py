"""OpenAI chat completions: reading a request, writing an answer that no model wrote.

Source: OpenAI's public API description (chat completions, models), read 2026-11.
"""

from typing import Any

import msgspec

from steadyhand.core import splice, sse
from steadyhand.core.chat import ChatRequest, Usage
from steadyhand.core.errors import InvalidJson, InvalidRequest, InvalidValue, MissingField
from steadyhand.core.splice import Span

_DECODER = msgspec.json.Decoder(ChatRequest)


def read_chat(body: bytes) -> tuple[ChatRequest, Span | None]:
    """Return what decisions need of a request body, and where its ``model`` stands.

    Raises:
        InvalidRequest: Not one JSON object in UTF-8, a field missing, of another type, or
            ``model`` given twice, so that readers would disagree about which one counts.
    """
    try:
        body.decode()  # fields that are not read must be UTF-8 too
        chat = _DECODER.decode(body)
    except UnicodeDecodeError as error:
        raise InvalidJson(f"the body is not UTF-8: {error.reason} at byte {error.start}") from None
    except RecursionError:
        raise InvalidJson("the body is nested too deeply") from None
    except msgspec.ValidationError as error:
        raise _field_error(str(error)) from None
    except msgspec.DecodeError as error:
        raise InvalidJson(f"the body is not valid JSON: {error}") from None
    if not chat.messages:
        raise InvalidValue("'messages' must not be empty", param="messages")
    return chat, splice.find(body, b"model")


def _field_error(text: str) -> InvalidRequest:
    """Name the field that msgspec's message is about."""
    message, _, path = text.partition(" - at `$")
    field = path.rstrip("`").lstrip(".")
    if "missing required field" in message:
        field = ".".join(filter(None, (field, message.split("`")[1])))
        return MissingField(f"you must provide {field!r}", param=field)
    if not field:
        return InvalidJson(f"the body must be a JSON object: {message}")
    return InvalidValue(f"{field}: {message[0].lower()}{message[1:]}", param=field)


def _frame(request_id: str, kind: str, model: str, made_s: int) -> dict[str, Any]:
    """Return the fields that every body and chunk of one answer shares."""
    return {
        "id": f"chatcmpl-{request_id}",
        "object": kind,
        "created": made_s,
        "model": model,
    }


_NO_TOKENS = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


class Said(msgspec.Struct, frozen=True):
    """A whole text that is sent as an answer, and what its frame says.

    Attributes:
        request_id: Ours; the answer's id is made of it.
        model: Who is said to have written it.
        made_s: When it is said to have been made, seconds since 1970.
        content: The text.
        finish_reason: Why it ended.
        usage: What it took; ``None`` for nothing.
    """

    request_id: str
    model: str
    made_s: int
    content: str
    finish_reason: str = "stop"
    usage: Usage | None = None


def _tokens(usage: Usage | None) -> dict[str, int]:
    if usage is None:
        return _NO_TOKENS
    prompt, completion = usage.prompt_tokens or 0, usage.completion_tokens or 0
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def text_answer(said: Said) -> bytes:
    """Return ``said`` as a whole answer."""
    message = {"role": "assistant", "content": said.content, "refusal": None}
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": said.finish_reason,
    }
    return msgspec.json.encode(
        {
            **_frame(said.request_id, "chat.completion", said.model, said.made_s),
            "choices": [choice],
            "usage": _tokens(said.usage),
        }
    )


def text_events(said: Said, *, with_usage: bool) -> bytes:
    """Return ``said`` as a whole stream, its end included."""
    frame = _frame(said.request_id, "chat.completion.chunk", said.model, said.made_s)
    usage = {"usage": None} if with_usage else {}

    def chunk(delta: dict[str, Any], finish_reason: str | None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return {**frame, "choices": [choice], **usage}

    chunks = [
        chunk({"role": "assistant", "content": "", "refusal": None}, None),
        chunk({"content": said.content}, None),
        chunk({}, said.finish_reason),
    ]
    if with_usage:
        chunks.append({**frame, "choices": [], "usage": _tokens(said.usage)})
    events = [sse.event(msgspec.json.encode(item)) for item in chunks]
    return b"".join((*events, sse.event(sse.DONE)))


def model_entry(name: str, made_s: int, owner: str) -> dict[str, Any]:
    """Return one entry of the models list."""
    return {"id": name, "object": "model", "created": made_s, "owned_by": owner}
