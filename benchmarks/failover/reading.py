"""Read one answer as strictly as the wire is documented. Pure.

The rules are those of the specification of server-sent events (WHATWG HTML, section 9.2) and of
OpenAI's chat completions (types of the ``openai`` package 3.57). Quirks that some provider is known
to send and that careful clients take, such as ``choices: null`` beside a usage, are no violation.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

_LINE_END = re.compile(rb"\r\n|\n|\r")
_FINISH = {"stop", "length", "tool_calls", "content_filter", "function_call"}


@dataclass(slots=True)
class Said:
    """What an answer says, put together from its pieces; the first choice only.

    Attributes:
        calls: Name and arguments of each tool call, in order.
        finish: Its finish reason, or empty.
    """

    content: str = ""
    refusal: str = ""
    reasoning: str = ""
    calls: list[list[str]] = field(default_factory=list)
    finish: str = ""

    def is_anything(self) -> bool:
        """Return whether something was said."""
        return bool(self.content or self.refusal or self.reasoning or self.calls)


@dataclass(slots=True)
class Reading:
    """One response, read to its end.

    Attributes:
        said: What it says.
        problem: The first violation of the wire's rules, or empty.
        error: The message of a typed error, or empty.
        is_done: A stream's ``[DONE]`` came; a whole object came.
        spoke_at: Length of the body when the first content was whole; -1 if none came.
    """

    said: Said = field(default_factory=Said)
    problem: str = ""
    error: str = ""
    is_done: bool = False
    spoke_at: int = -1


def read_error(body: bytes) -> str:
    """Return the message of an error body in OpenAI's shape, or empty if it has another."""
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return ""
    return _error_of(found)


def _error_of(value: Any) -> str:
    error = value.get("error") if isinstance(value, Mapping) else None
    message = error.get("message") if isinstance(error, Mapping) else None
    return message if isinstance(message, str) else ""


def read_whole(body: bytes) -> Reading:
    """Read a ``chat.completion`` under status 200."""
    reading = Reading()
    try:
        found = msgspec.json.decode(body.decode())
    except UnicodeDecodeError:
        reading.problem = "not UTF-8"
        return reading
    except msgspec.DecodeError:
        reading.problem = "not JSON"
        return reading
    if _error_of(found):
        reading.error = _error_of(found)
        reading.problem = "an error under status 200"
        return reading
    reading.problem = _envelope_problem(found, "chat.completion") or _whole_problem(found)
    if reading.problem:
        return reading
    choice = found["choices"][0]
    message = choice["message"]
    reading.said = Said(
        content=message.get("content") or "",
        refusal=message.get("refusal") or "",
        reasoning=message.get("reasoning_content") or "",
        calls=[_called(call) for call in message.get("tool_calls") or ()],
        finish=choice.get("finish_reason") or "",
    )
    reading.is_done = True
    reading.spoke_at = len(body)
    if reading.said.finish not in _FINISH:
        reading.problem = f"finish reason {choice.get('finish_reason')!r}"
    return reading


def _called(call: Mapping[str, Any]) -> list[str]:
    function = call.get("function") or {}
    return [function.get("name") or "", function.get("arguments") or ""]


def _envelope_problem(found: Any, kind: str) -> str:
    if not isinstance(found, Mapping):
        return "no JSON object"
    if found.get("object") != kind:
        return f"object {found.get('object')!r} instead of {kind}"
    if not isinstance(found.get("id"), str) or not found["id"]:
        return "no id"
    if not isinstance(found.get("model"), str):
        return "no model"
    if not isinstance(found.get("created"), int):
        return "no time of creation"
    return ""


def _whole_problem(found: Mapping[str, Any]) -> str:
    choices = found.get("choices")
    if not isinstance(choices, Sequence) or not choices or not isinstance(choices[0], Mapping):
        return "no choices"
    message = choices[0].get("message")
    if not isinstance(message, Mapping) or message.get("role") != "assistant":
        return "no message of the assistant"
    if not isinstance(message.get("content"), str | None):
        return "content that is no text"
    return ""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream: its data, and where in the body it ends."""

    data: bytes
    end: int


def events(body: bytes) -> tuple[list[Event], str]:
    """Return the events of a stream, and what is wrong with it as server-sent events."""
    found: list[Event] = []
    data: list[bytes] = []
    at = 0
    for line, at in _lines(body):
        if line:
            name, _, value = line.partition(b":")
            if name == b"data":
                data.append(value.removeprefix(b" "))
            elif name not in (b"", b"event", b"id", b"retry"):
                return found, f"a line that is no field of an event: {line[:40]!r}"
        elif data:
            found.append(Event(b"\n".join(data), at))
            data = []
    if data or at < len(body):
        return found, "ends within an event"
    return found, ""


def _lines(body: bytes) -> Iterator[tuple[bytes, int]]:
    at = 0
    for end in _LINE_END.finditer(body):
        yield body[at : end.start()], end.end()
        at = end.end()


def read_stream(body: bytes) -> Reading:
    """Read the events of a stream under status 200."""
    reading = Reading()
    found, framing = events(body)
    first_id = ""
    for event in found:
        if reading.is_done:
            reading.problem = reading.problem or "an event after [DONE]"
        elif event.data == b"[DONE]":
            reading.is_done = True
        else:
            first_id = _take_event(reading, event, first_id)
    if not reading.problem and framing:
        reading.problem = framing
    return reading


def _take_event(reading: Reading, event: Event, first_id: str) -> str:
    """Add an event to the reading; return the id that all chunks must have."""
    try:
        chunk = msgspec.json.decode(event.data.decode())
    except UnicodeDecodeError:
        reading.problem = reading.problem or "an event that is not UTF-8"
        return first_id
    except msgspec.DecodeError:
        reading.problem = reading.problem or "an event that is not JSON"
        return first_id
    if _error_of(chunk):
        reading.error = reading.error or _error_of(chunk)
        return first_id
    problem = _envelope_problem(chunk, "chat.completion.chunk")
    if isinstance(chunk, Mapping):
        problem = problem or _add_choices(reading, chunk, event.end)
    if not problem and first_id and chunk["id"] != first_id:
        problem = "chunks of different ids"
    reading.problem = reading.problem or problem
    return first_id or ("" if problem else chunk["id"])


def _add_choices(reading: Reading, chunk: Mapping[str, Any], end: int) -> str:
    choices = chunk.get("choices")
    if choices is None and chunk.get("usage"):
        return ""
    if not isinstance(choices, Sequence):
        return "a chunk without choices"
    for choice in choices:
        delta = choice.get("delta") if isinstance(choice, Mapping) else None
        if not isinstance(delta, Mapping):
            return "a choice without a delta"
        if choice.get("index") == 0:
            _add_delta(reading.said, delta, choice.get("finish_reason"))
            if reading.spoke_at < 0 and reading.said.is_anything():
                reading.spoke_at = end
    return ""


def _add_delta(said: Said, delta: Mapping[str, Any], finish: Any) -> None:
    said.content += delta.get("content") or ""
    said.refusal += delta.get("refusal") or ""
    said.reasoning += delta.get("reasoning_content") or ""
    for call in delta.get("tool_calls") or ():
        place = call.get("index") or 0
        while len(said.calls) <= place:
            said.calls.append(["", ""])
        name, arguments = _called(call)
        said.calls[place][0] += name
        said.calls[place][1] += arguments
    said.finish = finish or said.finish
