"""What a ladder's prompts make of a request whose values, or whose absence, change its body. Pure.

Only ladders that need it have a :class:`Wording`. All others put the same bytes before the messages
each time, and pay one look at ``None``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from steadyhand.core import splice
from steadyhand.core.chat import ChatRequest, ResponseFormat
from steadyhand.core.errors import InvalidValue
from steadyhand.prompts.model import Prompt, Variable
from steadyhand.prompts.rendering import Prepared
from steadyhand.prompts.values import FIELD, checked

_SAME = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
"""Two names of one field: whoever gives one does not want the other."""
_NOTHING: dict[str, Any] = {}


class Worded(NamedTuple):
    """What a ladder's prompts made of one request.

    Attributes:
        chat: The request, with what the prompt added to it.
        instructions: The route's messages as JSON, with commas between; or empty.
        own: For each rung, what goes before the messages in place of those; or empty.
        asked: The values and the language as JSON: with them answers differ. Empty without any.
    """

    chat: ChatRequest
    instructions: bytes
    own: tuple[bytes, ...]
    asked: bytes


class Wording:
    """The prompts of one ladder.

    Attributes:
        variables: Name → variable, of all of them.
        example: Values to try them with.
    """

    def __init__(self, prompt: Prepared | None, own: Sequence[Prepared | None]) -> None:
        """Take the route's prompt, and for each rung its own."""
        self._prompt = prompt
        self._own = tuple(own)
        self._response_format = _response_format(prompt.prompt) if prompt is not None else None
        self.variables: dict[str, Variable] = {}
        self.example: dict[str, Any] = {}
        for one in filter(None, (prompt, *own)):
            self.variables |= one.prompt.variables
            self.example = one.prompt.example | self.example

    def only(self, number: int) -> "Wording":
        """Return the same for a ladder of one of its rungs."""
        return Wording(self._prompt, self._own[number : number + 1])

    def has_own(self, rung: int) -> bool:
        """Tell whether a rung has a prompt of its own, be it one without a text."""
        return rung < len(self._own) and self._own[rung] is not None

    def worded(self, chat: ChatRequest) -> Worded:
        """Return what becomes of ``chat``.

        Raises:
            VariableMissing: It does not give a variable that must be given.
            VariableInvalid: A value is not what its variable takes.
            InvalidValue: What it gives is no object.
            PromptTooLong: A message would be longer than any may be.
        """
        given, locale = _given(chat)
        values = checked(self.variables, given) if self.variables else _NOTHING
        instructions = self._prompt.renderer(locale).body(values) if self._prompt else b""
        own = tuple(one.renderer(locale).body(values) if one else b"" for one in self._own)
        asked = msgspec.json.encode([values, locale], order="sorted") if any(own) else b""
        return Worded(self._shaped(chat), instructions, own, asked)

    def _shaped(self, chat: ChatRequest) -> ChatRequest:
        """Return ``chat`` with the prompt's tools and schema, where it brings none itself."""
        tools = list(self._prompt.prompt.tools) if self._prompt is not None else []
        if tools and not chat.tools and not chat.functions:
            chat = msgspec.structs.replace(chat, tools=tools)
        if self._response_format is not None and chat.response_format is None:
            chat = msgspec.structs.replace(chat, response_format=self._response_format)
        return chat

    def filled(self, body: bytes, chat: ChatRequest, rung: int = -1) -> bytes:
        """Return ``body`` with the fields that the request does not say itself.

        Args:
            body: Of the request.
            chat: What was read of it as it came: not what :meth:`worded` made of it.
            rung: Whose own prompt applies, if it has one; -1 for the route's.
        """
        own = self._own[rung] if 0 <= rung < len(self._own) else None
        said = own or self._prompt
        for name, value in said.prompt.parameters.items() if said is not None else ():
            if not _says(body, name) and not (name in _SAME and _says(body, _SAME[name])):
                body = splice.set_field(body, name.encode(), value)
        if self._prompt is None:
            return body
        prompt = self._prompt.prompt
        if prompt.tools and not chat.tools and not chat.functions:
            body = splice.set_field(body, b"tools", msgspec.json.encode(prompt.tools))
        if self._response_format is not None and chat.response_format is None:
            body = splice.set_field(body, b"response_format", prompt.output.encode())
        return body


def wording_of(prompt: Prepared | None, own: Sequence[Prepared | None]) -> Wording | None:
    """Return what the prompts of a ladder need; ``None`` if every request gets the same bytes."""
    if all(_is_fixed(one) for one in (prompt, *own)):
        return None
    return Wording(prompt, own)


def _is_fixed(one: Prepared | None) -> bool:
    if one is None:
        return True
    prompt = one.prompt
    shapes = bool(prompt.parameters or prompt.tools or prompt.output or prompt.variables)
    return not shapes and (bool(one.fixed) or not prompt.messages)


def _response_format(prompt: Prompt) -> ResponseFormat | None:
    if not prompt.output:
        return None
    return msgspec.json.decode(prompt.output, type=ResponseFormat)


def _given(chat: ChatRequest) -> tuple[Mapping[str, Any], str]:
    """Return the values and the language that ``chat`` names."""
    said = chat.steadyhand
    if said is UNSET or said is None:
        return _NOTHING, ""
    given = said.variables
    if given is not None and not isinstance(given, dict):
        raise InvalidValue(f"{FIELD} must be an object", param=FIELD)
    return given or _NOTHING, said.locale or ""


def _says(body: bytes, name: str) -> bool:
    span = splice.find(body, name.encode())
    return span is not None and body[span.value : span.end] != b"null"
