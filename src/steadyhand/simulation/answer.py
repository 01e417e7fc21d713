"""Decide what the simulated model says: a function of the request, and of the behaviour's name."""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any

from steadyhand.simulation.dials import Dials
from steadyhand.simulation.draws import Draws
from steadyhand.simulation.instance import instance
from steadyhand.simulation.quote import nearest_sentence
from steadyhand.simulation.request import ChatRequest

_TOKEN = re.compile(r"\s*\S+|\s+\Z")
_FILLER = ("Steady", " hands", " answer", " in", " time,", " every", " time.")
_IMAGE_TOKENS = 85


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One function call; ``arguments`` is JSON text."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One of ``n`` answers, in tokens; joined, they are the text."""

    tokens: tuple[str, ...] = ()
    reasoning: tuple[str, ...] = ()
    refusal: tuple[str, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    finish: str = "stop"

    def spent(self) -> int:
        """Return the tokens this choice is counted for."""
        written = sum(len(call.name) + len(call.arguments) for call in self.calls)
        return len(self.tokens) + len(self.reasoning) + len(self.refusal) + (written + 3) // 4


@dataclass(frozen=True, slots=True)
class Answer:
    """All choices, and what the prompt counts for."""

    choices: tuple[Choice, ...]
    prompt_tokens: int
    prompt_audio_tokens: int = 0

    def completion_tokens(self) -> int:
        """Return the tokens of all choices."""
        return sum(choice.spent() for choice in self.choices)

    def reasoning_tokens(self) -> int:
        """Return how many of them were thoughts."""
        return sum(len(choice.reasoning) for choice in self.choices)


def tokenise(text: str) -> tuple[str, ...]:
    """Split ``text`` into words with the space before them; joined, they are ``text``."""
    return tuple(_TOKEN.findall(text))


def compose(behaviour: str, request: ChatRequest, dials: Dials, draws: Draws) -> Answer:
    """Return the answer to ``request``; the same request and draws give the same answer."""
    count = request.n or 1
    choices = tuple(_choice(behaviour, request, dials, draws, place) for place in range(count))
    audio = sum(
        _base64_length(part.input_audio.data) // 100
        for message in request.messages
        if isinstance(message.content, list)
        for part in message.content
        if part.input_audio
    )
    return Answer(choices, _prompt_tokens(request) + audio, audio)


def _choice(behaviour: str, request: ChatRequest, dials: Dials, draws: Draws, place: int) -> Choice:
    if behaviour == "refusal":
        return Choice(refusal=tokenise("I'm sorry, I cannot assist with that request."))
    called = _called(request, dials)
    if behaviour == "cut-mid-tool-call" and not called:
        called = [("lookup", {"type": "object", "properties": {"query": {"type": "string"}}})]
    if called:
        return Choice(calls=_calls(called, draws, place), finish="tool_calls")
    text = _text(behaviour, request, dials)
    if place:
        text = f"{text} (choice {place + 1})" if _is_prose(request) else text
    tokens, finish = _bounded(text, request, dials)
    if behaviour == "content-filter":
        tokens, finish = tokens[: max(1, len(tokens) // 2)], "content_filter"
    thoughts = tokenise("The user wants an answer. Let me think about it step by step.")
    return Choice(tokens, thoughts if behaviour == "reasoning" else (), finish=finish)


def _bounded(text: str, request: ChatRequest, dials: Dials) -> tuple[tuple[str, ...], str]:
    """Apply stop sequences and the limit on tokens, and name the finish reason."""
    for stop in [request.stop] if isinstance(request.stop, str) else request.stop or ():
        if stop:
            text = text.partition(stop)[0]
    tokens = tokenise(text)
    if dials.tokens and _is_prose(request):
        fill = (_FILLER[place % len(_FILLER)] for place in range(dials.tokens - len(tokens)))
        tokens = (*tokens[: dials.tokens], *fill)
    limit = request.max_completion_tokens or request.max_tokens
    if limit and len(tokens) > limit:
        return tokens[:limit], "length"
    return tokens, "stop"


def _is_prose(request: ChatRequest) -> bool:
    return not request.response_format or request.response_format.get("type") == "text"


def _text(behaviour: str, request: ChatRequest, dials: Dials) -> str:
    if not _is_prose(request):
        return json.dumps(_structured(request), ensure_ascii=False, separators=(",", ":"))
    if dials.answer:
        return dials.answer
    if behaviour == "unicode-separators":
        return "One line\u2028two lines\u2029three lines\u0085and a last one, café \U0001f600."
    if request.messages[-1].role == "tool":
        return f"The tool answered: {request.messages[-1].text()}"
    question = request.last_text("user")
    if behaviour == "quote":
        instructions = (m.text() for m in request.messages if m.role in ("system", "developer"))
        found = nearest_sentence(question, "\n".join(instructions))
        if found:
            return found
    received = "".join(f" I received {thing}." for thing in _media(request))
    asked = f"You asked: “{question[:400]}”."
    return f"{asked}{received} A simulated model answers; no model was asked."


def _structured(request: ChatRequest) -> Any:
    wanted = request.response_format or {}
    if wanted.get("type") == "json_schema":
        declared = wanted.get("json_schema")
        schema = declared.get("schema") if isinstance(declared, dict) else None
        return instance(schema or {"type": "object"})
    return {"answer": f"You asked: {request.last_text('user')[:400]}"}


def _media(request: ChatRequest) -> list[str]:
    """Name each image and audio part that reached the model, with its size."""
    found = []
    for message in request.messages:
        for part in message.content if isinstance(message.content, list) else ():
            if part.image_url:
                found.append(_image(part.image_url.url))
            if part.input_audio:
                size = _base64_length(part.input_audio.data)
                found.append(f"audio ({part.input_audio.format}, {size} bytes)")
    return found


def _image(url: str) -> str:
    head, _, coded = url.partition(",")
    if not head.startswith("data:"):
        return "an image by address"
    return f"an image ({head[5:].partition(';')[0]}, {_base64_length(coded)} bytes)"


def _base64_length(coded: str) -> int:
    try:
        return len(base64.b64decode(coded, validate=True))
    except binascii.Error:
        return 0


def _prompt_tokens(request: ChatRequest) -> int:
    """Count as OpenAI documents it, with four characters for a token; schemas are not counted."""
    count = 3
    for message in request.messages:
        count += 4 + (len(message.text()) + 3) // 4
        if isinstance(message.content, list):
            count += sum(_IMAGE_TOKENS for part in message.content if part.image_url)
    return count


def _called(request: ChatRequest, dials: Dials) -> list[tuple[str, Any]]:
    """Return name and schema of each function that this turn calls.

    A call is made if it is forced, or if functions are offered and no tool has answered since the
    user last spoke.
    """
    tools = request.tools or ()
    offered = [tool.function for tool in tools if tool.type == "function" and tool.function]
    choice = request.tool_choice or "auto"
    if not offered or choice == "none":
        return []
    named = choice.get("function", {}).get("name") if isinstance(choice, dict) else None
    if named:
        return [(tool.name, tool.parameters) for tool in offered if tool.name == named][:1]
    if choice == "auto" and request.messages[-1].role in ("tool", "function"):
        return []
    several = dials.parallel and request.parallel_tool_calls is not False
    return [(tool.name, tool.parameters) for tool in (offered if several else offered[:1])]


def _calls(called: list[tuple[str, Any]], draws: Draws, place: int) -> tuple[ToolCall, ...]:
    return tuple(
        ToolCall(
            f"call_{draws.token(f'call {place} {number}')}",
            name,
            json.dumps(instance(schema or {"type": "object"}), ensure_ascii=False),
        )
        for number, (name, schema) in enumerate(called)
    )
