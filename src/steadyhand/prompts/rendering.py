"""From a prompt and values to labelled messages. Pure; what is heavy is done once, ahead.

A template becomes a chain of closures, each of which adds pieces to a page. Pieces keep their
labels until the messages are written as JSON. A page has an end: a template that would say more
than :data:`MAX_CHARS` is refused rather than sent.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from steadyhand.core.errors import InvalidRequest
from steadyhand.prompts.evaluation import Scope, evaluator
from steadyhand.prompts.filters import spoken
from steadyhand.prompts.model import (
    LOOP,
    Each,
    Message,
    Part,
    Prompt,
    Say,
    Segment,
    Template,
    Text,
    Variable,
    When,
)

MAX_CHARS: Final = 262_144
"""Most that all messages of a prompt may have together."""

_PIECE: Final = tuple.__new__
"""A named tuple by the way around its constructor, which takes half of a small prompt's time."""

_Writer = Callable[[Scope, "_Page"], None]


class PromptTooLong(InvalidRequest):
    """With the values of this request the route's prompt is longer than prompts may be."""

    code, status = "prompt_too_long", 413


class _Page:
    """What has been written so far."""

    __slots__ = ("left", "pieces")

    def __init__(self, left: int) -> None:
        self.pieces: list[Segment] = []
        self.left = left

    def add(self, piece: Segment) -> None:
        self.left -= len(piece.text)
        if self.left < 0:
            raise PromptTooLong(
                f"the prompt would have more than {MAX_CHARS:,} characters",
                hint="give shorter values, or lower max_chars and max_items of its variables",
                param="steadyhand.variables",
            )
        self.pieces.append(piece)


class Renderer:
    """Renders the templates of one prompt in one language.

    Attributes:
        fixed: The messages as JSON, with commas between, if no value can change them; else empty.
    """

    def __init__(self, templates: tuple[Template, ...], variables: Mapping[str, Variable]) -> None:
        """Prepare ``templates``, whose names are all in ``variables``."""
        self._roles = [template.role for template in templates]
        self._writers = [_sequence(template.parts, variables) for template in templates]
        is_fixed = all(isinstance(part, Text) for one in templates for part in one.parts)
        self.fixed = encoded(self.messages({})) if is_fixed else b""

    def messages(self, values: Mapping[str, Any]) -> tuple[Message, ...]:
        """Return the messages with ``values``, which are checked.

        Raises:
            PromptTooLong: They would be.
        """
        left, scope = MAX_CHARS, dict(values)
        rendered = []
        for role, write in zip(self._roles, self._writers, strict=True):
            page = _Page(left)
            write(scope, page)
            left = page.left
            rendered.append(Message(role, tuple(page.pieces)))
        return tuple(rendered)

    def body(self, values: Mapping[str, Any]) -> bytes:
        """Return the messages with ``values`` as JSON, with commas between.

        Raises:
            PromptTooLong: They would be.
        """
        return self.fixed or encoded(self.messages(values))


class Prepared:
    """A prompt, ready for requests.

    Attributes:
        prompt: The prompt.
        fixed: Its messages as JSON if neither values nor a language can change them; else empty.
    """

    def __init__(self, prompt: Prompt) -> None:
        """Prepare every language of ``prompt``."""
        self.prompt = prompt
        self._main = Renderer(prompt.messages, prompt.variables)
        self._locales = {
            tag: Renderer(templates, prompt.variables) for tag, templates in prompt.locales.items()
        }
        self.fixed = b"" if self._locales else self._main.fixed

    def renderer(self, locale: str) -> Renderer:
        """Return the renderer for a language tag: its own, that of its language, or the main one.

        So RFC 4647 calls a lookup.
        """
        if not self._locales or not locale:
            return self._main
        tag = locale.lower().replace("_", "-")
        while tag:
            found = self._locales.get(tag)
            if found is not None:
                return found
            tag = tag.rpartition("-")[0]
        return self._main


def encoded(messages: tuple[Message, ...]) -> bytes:
    """Return ``messages`` in OpenAI's form, with commas between; empty ones are left out."""
    return b",".join(
        msgspec.json.encode({"role": message.role, "content": text})
        for message in messages
        if (text := message.text)
    )


def _sequence(parts: tuple[Part, ...], variables: Mapping[str, Variable]) -> _Writer:
    writers = [_writer(part, variables) for part in parts]
    if len(writers) == 1:
        return writers[0]

    def write(scope: Scope, page: _Page) -> None:
        for writer in writers:
            writer(scope, page)

    return write


def _writer(part: Part, variables: Mapping[str, Variable]) -> _Writer:
    if isinstance(part, Text):
        return _text(Segment(part.text, part.origin, "trusted"))
    if isinstance(part, Say):
        return _say(part, variables)
    if isinstance(part, When):
        return _when(part, variables)
    return _each(part, variables)


def _text(piece: Segment) -> _Writer:
    def write(_: Scope, page: _Page) -> None:
        page.add(piece)

    return write


def _say(part: Say, variables: Mapping[str, Variable]) -> _Writer:
    value = evaluator(part.value)
    named = [variables[name] for name in part.names]
    doubtful = [one for one in named if one.trust == "untrusted"]
    trust = "untrusted" if doubtful else "trusted"
    origin = (doubtful or named)[0].origin if named else "author"
    label = (origin, trust, part.names)

    def write(scope: Scope, page: _Page) -> None:
        said = value(scope)
        text = said if type(said) is str else spoken(said)
        page.add(_PIECE(Segment, (text, *label)))

    return write


def _when(part: When, variables: Mapping[str, Variable]) -> _Writer:
    test = evaluator(part.test)
    then, otherwise = _sequence(part.then, variables), _sequence(part.otherwise, variables)

    def write(scope: Scope, page: _Page) -> None:
        (then if test(scope) else otherwise)(scope, page)

    return write


def _each(part: Each, variables: Mapping[str, Variable]) -> _Writer:
    name, items = part.name, evaluator(part.of)
    parts, otherwise = _sequence(part.parts, variables), _sequence(part.otherwise, variables)

    def write(scope: Scope, page: _Page) -> None:
        found = items(scope)
        if not found:
            otherwise(scope, page)
            return
        inner, length = dict(scope), len(found)
        for index, item in enumerate(found):
            inner[name] = item
            if part.counts:
                inner[LOOP] = _loop(index, length)
            parts(inner, page)

    return write


def _loop(index: int, length: int) -> dict[str, Any]:
    return {
        "index": index + 1,
        "index0": index,
        "first": index == 0,
        "last": index == length - 1,
        "length": length,
    }
