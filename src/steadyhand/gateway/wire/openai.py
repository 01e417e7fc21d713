"""OpenAI chat completions: reading a request, writing an answer that no model wrote.

Source: OpenAI's public API description (chat completions, models), read 2026-11.
"""

from typing import Any

import msgspec

from steadyhand.core import splice, sse
from steadyhand.core.chat import ChatRequest
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


def text_answer(request_id: str, model: str, made_s: int, content: str) -> bytes:
    """Return a whole answer that says ``content``; it cost no tokens, and says so."""
    message = {"role": "assistant", "content": content, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return msgspec.json.encode(
        {
            **_frame(request_id, "chat.completion", model, made_s),
            "choices": [choice],
            "usage": _NO_TOKENS,
        }
    )


def text_events(
    request_id: str, model: str, made_s: int, content: str, *, with_usage: bool
) -> bytes:
    """Return a whole stream that says ``content``, its end included."""
    frame = _frame(request_id, "chat.completion.chunk", model, made_s)
    usage = {"usage": None} if with_usage else {}

    def chunk(delta: dict[str, Any], finish_reason: str | None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return {**frame, "choices": [choice], **usage}

    chunks = [
        chunk({"role": "assistant", "content": "", "refusal": None}, None),
        chunk({"content": content}, None),
        chunk({}, "stop"),
    ]
    if with_usage:
        chunks.append({**frame, "choices": [], "usage": _NO_TOKENS})
    events = [sse.event(msgspec.json.encode(item)) for item in chunks]
    return b"".join((*events, sse.event(sse.DONE)))


def model_entry(name: str, made_s: int, owner: str) -> dict[str, Any]:
    """Return one entry of the models list."""
    return {"id": name, "object": "model", "created": made_s, "owned_by": owner}
