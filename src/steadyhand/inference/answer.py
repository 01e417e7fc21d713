"""From what the engine says to what the client gets: a stream, or one whole answer. Pure.

The engine's chunks are read and written anew: they hold the path of the model's file, timings, and
chunks that only report how far the prompt was read.
"""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from steadyhand.core.chat import Usage
from steadyhand.inference.forced import ForcedCall
from steadyhand.inference.request import Wanted

DONE = b"data: [DONE]\n\n"
_encoder = msgspec.json.Encoder()


class _Choice(msgspec.Struct):
    delta: dict[str, Any] = {}
    finish_reason: str | None = None
    logprobs: msgspec.Raw | UnsetType = UNSET


class _Chunk(msgspec.Struct):
    id: str = ""
    created: int = 0
    choices: list[_Choice] = []
    usage: msgspec.Raw | UnsetType = UNSET
    prompt_progress: msgspec.Raw | UnsetType = UNSET


class SaidChoice(msgspec.Struct, omit_defaults=False):
    """One choice of a chunk, as the client gets it."""

    index: int
    delta: dict[str, Any]
    logprobs: msgspec.Raw | None
    finish_reason: str | None


class _SaidChunk(msgspec.Struct):
    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    choices: list[SaidChoice]
    usage: msgspec.Raw | UnsetType = UNSET


_decoder = msgspec.json.Decoder(_Chunk)


class Answer:
    """One answer as it is generated.

    Attributes:
        has_content: Whether there was anything to show or to act on.
        is_finished: Whether the engine has given a reason for its end.
        usage: Tokens as the engine counted them, once it has said so.
    """

    def __init__(self, wanted: Wanted) -> None:
        """Nothing is said yet."""
        self.has_content = self.is_finished = False
        self.usage: Usage | None = None
        self._wanted = wanted
        self._call = ForcedCall() if wanted.forces_call else None
        self._id, self._created = "", 0
        self._raw_usage: msgspec.Raw | UnsetType = UNSET
        self._kept: list[SaidChoice] = []
        self._has_role = False

    def feed(self, data: bytes) -> bytes:
        """Take a chunk of the engine; return what a stream's client is sent for it.

        Raises:
            msgspec.DecodeError: It is not a chunk.
        """
        chunk = _decoder.decode(data)
        if chunk.prompt_progress is not UNSET:
            return b""
        if not self._id:
            self._id, self._created = chunk.id, chunk.created
        if chunk.usage is not UNSET:
            self._raw_usage = chunk.usage
            self.usage = msgspec.json.decode(chunk.usage, type=Usage)
        said = [self._said(choice) for choice in chunk.choices]
        choices = [choice for choice in said if choice is not None]
        if not choices:
            return b""
        if not self._wanted.is_stream:
            self._kept += choices
            return b""
        return self._event(choices, UNSET)

    def end(self) -> bytes:
        """Return the last bytes: usage and the end mark of a stream, or the whole answer."""
        if not self._wanted.is_stream:
            return self._whole()
        if self._wanted.wants_usage and self._raw_usage is not UNSET:
            return self._event([], self._raw_usage) + DONE
        return DONE

    def _event(self, choices: list[SaidChoice], usage: msgspec.Raw | UnsetType) -> bytes:
        model = self._wanted.model
        chunk = _SaidChunk(self._id, "chat.completion.chunk", self._created, model, choices, usage)
        return b"data: %b\n\n" % _encoder.encode(chunk)

    def _said(self, choice: _Choice) -> SaidChoice | None:
        delta = {name: value for name, value in choice.delta.items() if value not in (None, "")}
        finish = choice.finish_reason
        if self._call is not None:
            delta, finish = self._as_call(self._call, delta, finish)
        if delta.pop("role", None) and not self._has_role:
            self._has_role = True
            delta["role"] = "assistant"
        if any(name != "role" for name in delta):
            self.has_content = True
        elif not delta and finish is None:
            return None
        self.is_finished = self.is_finished or finish is not None
        logprobs = None if choice.logprobs is UNSET or self._call else choice.logprobs
        return SaidChoice(0, delta, logprobs, finish)

    def _as_call(
        self, call: ForcedCall, delta: dict[str, Any], finish: str | None
    ) -> tuple[dict[str, Any], str | None]:
        """Turn text into parts of a tool call."""
        was_named = call.name is not None
        text = call.feed(delta.pop("content", ""))
        if call.name is not None and not was_named:
            function = {"name": call.name, "arguments": text}
            name = f"call_{self._id.removeprefix('chatcmpl-')[:24]}"
            delta["tool_calls"] = [
                {"index": 0, "id": name, "type": "function", "function": function}
            ]
        elif text:
            delta["tool_calls"] = [{"index": 0, "function": {"arguments": text}}]
        if finish is not None and call.rest():
            delta["content"] = call.rest()  # cut off before it was a call
        if finish == "stop" and call.name is not None:
            finish = "tool_calls"
        return delta, finish

    def _whole(self) -> bytes:
        message: dict[str, Any] = {"role": "assistant", "content": None}
        logprobs: list[Any] = []
        calls: dict[int, dict[str, Any]] = {}
        finish = None
        for choice in self._kept:
            for name in ("content", "reasoning_content", "refusal"):
                if name in choice.delta:
                    message[name] = (message.get(name) or "") + choice.delta[name]
            for part in choice.delta.get("tool_calls", ()):
                _merge(calls, part)
            if choice.logprobs is not None:
                logprobs += msgspec.json.decode(choice.logprobs).get("content") or ()
            finish = choice.finish_reason or finish
        if calls:
            message["tool_calls"] = [calls[index] for index in sorted(calls)]
        elif message["content"] is None:
            message["content"] = ""
        whole = {
            "id": self._id,
            "object": "chat.completion",
            "created": self._created,
            "model": self._wanted.model,
            "choices": [
                {
                    "index": 0,
                    "message": message,
                    "logprobs": {"content": logprobs} if logprobs else None,
                    "finish_reason": finish,
                }
            ],
            "usage": None if self._raw_usage is UNSET else self._raw_usage,
        }
        return _encoder.encode(whole)


def _merge(calls: dict[int, dict[str, Any]], part: dict[str, Any]) -> None:
    """Add a part of a tool call to what came before."""
    added = part.get("function") or {}
    found = calls.get(part.get("index", 0))
    if found is None:
        calls[part.get("index", 0)] = {
            "id": part.get("id", ""),
            "type": "function",
            "function": {
                "name": added.get("name") or "",
                "arguments": added.get("arguments") or "",
            },
        }
        return
    found["id"] = part.get("id") or found["id"]
    function = found["function"]
    function["name"] += added.get("name") or ""
    function["arguments"] += added.get("arguments") or ""
