"""Write an answer as OpenAI's chat completions do: one object, or chunks.

Source: types of the ``openai`` package 3.54 (``chat_completion.py``, ``chat_completion_chunk.py``,
``completion_usage.py``), 2026-11, and the order of fields and deltas that the API sends.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from steadyhand.simulation.answer import Answer, Choice, ToolCall
from steadyhand.simulation.request import ChatRequest

Json = dict[str, Any]

_ARGUMENT_PIECE = 8


@dataclass(frozen=True, slots=True)
class Heading:
    """What every chunk of one answer repeats."""

    id: str
    created: int
    model: str
    fingerprint: str


def completion(heading: Heading, request: ChatRequest, answer: Answer) -> Json:
    """Return the answer as one ``chat.completion``."""
    choices = [
        {
            "index": index,
            "message": _message(choice),
            "logprobs": _logprobs(choice.tokens, request),
            "finish_reason": choice.finish,
        }
        for index, choice in enumerate(answer.choices)
    ]
    return {
        "id": heading.id,
        "object": "chat.completion",
        "created": heading.created,
        "model": heading.model,
        "choices": choices,
        "usage": usage(answer),
        "service_tier": "default",
        "system_fingerprint": heading.fingerprint,
    }


def chunks(
    heading: Heading, request: ChatRequest, answer: Answer, usage_place: str
) -> Iterator[Json]:
    """Yield the answer as ``chat.completion.chunk`` objects, choices in turn.

    ``usage_place`` is ``final`` (OpenAI's own: a last chunk without choices), ``null-choices``,
    ``last-choice`` or ``every``; without ``include_usage`` there is none.
    """
    wanted = request.wants_usage()
    pieces = list(_interleaved(request, answer))
    for place, (index, delta, logprobs, finish) in enumerate(pieces, 1):
        chunk = _chunk(heading)
        chunk["choices"] = [
            {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        ]
        if wanted:
            chunk["usage"] = None
            if usage_place == "every":
                chunk["usage"] = _counted(answer.prompt_tokens, place)
            if place == len(pieces) and usage_place in ("every", "last-choice"):
                chunk["usage"] = usage(answer)
        yield chunk
    if wanted and usage_place in ("final", "null-choices"):
        chunk = _chunk(heading)
        chunk["choices"] = [] if usage_place == "final" else None
        chunk["usage"] = usage(answer)
        yield chunk


def usage(answer: Answer) -> Json:
    """Return the counts with every detail OpenAI gives."""
    counted = _counted(answer.prompt_tokens, answer.completion_tokens())
    counted["prompt_tokens_details"] = {
        "cached_tokens": 0,
        "audio_tokens": answer.prompt_audio_tokens,
    }
    counted["completion_tokens_details"] = {
        "reasoning_tokens": answer.reasoning_tokens(),
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    }
    return counted


def encode(value: Any) -> bytes:
    """Write JSON without spaces, text unescaped."""
    return msgspec.json.encode(value)


def _counted(prompt: int, completion_tokens: int) -> Json:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt + completion_tokens,
    }


def _chunk(heading: Heading) -> Json:
    return {
        "id": heading.id,
        "object": "chat.completion.chunk",
        "created": heading.created,
        "model": heading.model,
        "service_tier": "default",
        "system_fingerprint": heading.fingerprint,
    }


def _message(choice: Choice) -> Json:
    message: Json = {
        "role": "assistant",
        "content": "".join(choice.tokens) if not (choice.calls or choice.refusal) else None,
        "refusal": "".join(choice.refusal) or None,
        "annotations": [],
    }
    if choice.reasoning:
        message["reasoning_content"] = "".join(choice.reasoning)
    if choice.calls:
        message["tool_calls"] = [_call(call) for call in choice.calls]
    return message


def _call(call: ToolCall) -> Json:
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }


Piece = tuple[int, Json, Json | None, str | None]


def _interleaved(request: ChatRequest, answer: Answer) -> Iterator[Piece]:
    """Take one piece of each choice in turn until all are finished."""
    running = [(index, _deltas(request, choice)) for index, choice in enumerate(answer.choices)]
    while running:
        unfinished = []
        for index, deltas in running:
            delta, logprobs, finish = next(deltas)
            yield index, delta, logprobs, finish
            if finish is None:
                unfinished.append((index, deltas))
        running = unfinished


def _deltas(request: ChatRequest, choice: Choice) -> Iterator[tuple[Json, Json | None, str | None]]:
    content = None if choice.calls or choice.refusal else ""
    first: Json = {"role": "assistant", "content": content, "refusal": None}
    if choice.calls:
        first["tool_calls"] = [_opened(0, choice.calls[0])]
    yield first, None, None
    for thought in choice.reasoning:
        yield {"reasoning_content": thought}, None, None
    for token in choice.refusal:
        yield {"refusal": token}, None, None
    for token in choice.tokens:
        yield {"content": token}, _logprobs((token,), request), None
    for place, call in enumerate(choice.calls):
        if place:
            yield {"tool_calls": [_opened(place, call)]}, None, None
        for start in range(0, len(call.arguments), _ARGUMENT_PIECE):
            piece = call.arguments[start : start + _ARGUMENT_PIECE]
            yield (
                {"tool_calls": [{"index": place, "function": {"arguments": piece}}]},
                None,
                None,
            )
    yield {}, None, choice.finish


def _opened(place: int, call: ToolCall) -> Json:
    opened = _call(call)
    opened["function"]["arguments"] = ""
    return {"index": place, **opened}


def _logprobs(tokens: tuple[str, ...], request: ChatRequest) -> Json | None:
    if not request.logprobs:
        return None
    return {
        "content": [_token_logprob(token, request.top_logprobs or 0) for token in tokens],
        "refusal": None,
    }


def _token_logprob(token: str, alternatives: int) -> Json:
    ranked = [token, *(f" other{place}" for place in range(1, alternatives))]
    top = [
        {"token": text, "logprob": -math.log(place + 1.25), "bytes": list(text.encode())}
        for place, text in enumerate(ranked[:alternatives])
    ]
    return {
        "token": token,
        "logprob": -math.log(1.25),
        "bytes": list(token.encode()),
        "top_logprobs": top,
    }
