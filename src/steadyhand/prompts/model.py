"""A prompt, compiled: typed variables, and templates as data that nobody has to parse again.

The template language is a small part of Jinja's (:mod:`steadyhand.prompts.parsing`). What a
gateway gets are these values: there is no parser and no sandbox on the request path to escape from.
"""

from typing import Any, Final, Literal, NamedTuple

import msgspec

Origin = Literal["author", "knowledge", "operator", "application", "user", "retrieved", "tool"]
"""Where a text comes from.

``author`` wrote the prompt, ``knowledge`` is a section that the prompt pins; variables are of the
others: the operator's settings, the calling application's own data, an end user's words, what a
search found, what a tool returned.
"""
Trust = Literal["trusted", "untrusted"]
"""Whether a text may tell the model what to do."""
Role = Literal["system", "user", "assistant"]
Kind = Literal["text", "integer", "number", "boolean", "texts", "records"]
"""What a variable holds. ``texts`` is a list of text, ``records`` a list of tables of text."""

LOOP: Final = "loop"
"""Name under which a loop tells where it is."""

Comparison = Literal["eq", "ne", "lt", "lteq", "gt", "gteq", "in", "notin"]
Junction = Literal["and", "or", "not"]


class Constant(msgspec.Struct, frozen=True, tag="constant"):
    """A value that stands in the template."""

    value: str | int | float | bool


class Name(msgspec.Struct, frozen=True, tag="name"):
    """A variable of the prompt, or of the loop around."""

    name: str


class Item(msgspec.Struct, frozen=True, tag="item"):
    """A field of a record, or ``loop.index`` and its kin."""

    of: str
    key: str


class Filtered(msgspec.Struct, frozen=True, tag="filtered"):
    """A value through one of :data:`steadyhand.prompts.filters.FILTERS`."""

    value: "Expression"
    filter: str
    arguments: tuple[str | int, ...] = ()


class Compared(msgspec.Struct, frozen=True, tag="compared"):
    """Two values compared."""

    left: "Expression"
    by: Comparison
    right: "Expression"


class Joined(msgspec.Struct, frozen=True, tag="joined"):
    """Values under ``and``, ``or`` or ``not``; as in Python, the value that decides."""

    by: Junction
    values: tuple["Expression", ...]


class Either(msgspec.Struct, frozen=True, tag="either"):
    """``a if test else b``."""

    test: "Expression"
    then: "Expression"
    otherwise: "Expression"


class Glued(msgspec.Struct, frozen=True, tag="glued"):
    """Values one after the other, as text: ``a ~ b``."""

    values: tuple["Expression", ...]


Expression = Constant | Name | Item | Filtered | Compared | Joined | Either | Glued


class Text(msgspec.Struct, frozen=True, tag="text"):
    """Text as it stands."""

    text: str
    origin: Origin = "author"


class Say(msgspec.Struct, frozen=True, tag="say"):
    """The value of an expression.

    Attributes:
        value: The expression.
        names: Variables of the prompt that are in it, in order of their names.
    """

    value: Expression
    names: tuple[str, ...] = ()


class When(msgspec.Struct, frozen=True, tag="when"):
    """Parts that are there if a test holds, and others if not."""

    test: Expression
    then: tuple["Part", ...]
    otherwise: tuple["Part", ...] = ()


class Each(msgspec.Struct, frozen=True, tag="each"):
    """Parts once for each item of a list, and others if there is none.

    Attributes:
        name: Of the item, in ``parts``.
        of: The list.
        parts: For each item.
        otherwise: For an empty list.
        counts: Whether ``parts`` use :data:`LOOP`.
    """

    name: str
    of: Expression
    parts: tuple["Part", ...]
    otherwise: tuple["Part", ...] = ()
    counts: bool = True


Part = Text | Say | When | Each


class Template(msgspec.Struct, frozen=True):
    """One message."""

    role: Role
    parts: tuple[Part, ...]


class Variable(msgspec.Struct, frozen=True):
    """What a caller gives a prompt under one name.

    Attributes:
        kind: Its type.
        origin: Where its text comes from.
        trust: Whether its text may tell the model what to do.
        is_required: Whether every request must give it.
        default: What it is if a request does not; of no meaning if it is required.
        choices: The texts that are allowed; empty for all.
        max_chars: Longest text, of each item.
        max_items: Longest list.
        fields: Keys of each record, all of them text.
    """

    kind: Kind
    origin: Origin
    trust: Trust
    is_required: bool = True
    default: Any = None
    choices: tuple[str, ...] = ()
    max_chars: int = 4_000
    max_items: int = 50
    fields: tuple[str, ...] = ()


class Prompt(msgspec.Struct, frozen=True):
    """What goes before a client's messages, and what goes with it.

    Attributes:
        name: Of its file, without ``.md``.
        messages: The templates, in order.
        locales: Language tag, in lower case → the templates in that language.
        variables: Name → variable.
        parameters: Field of the request body → value, for requests that do not say it.
        tools: Tools in OpenAI's form, for requests that bring none.
        output: ``response_format`` as JSON for requests that bring none, or empty.
        example: Values for its variables, to try it with.
    """

    name: str
    messages: tuple[Template, ...]
    locales: dict[str, tuple[Template, ...]] = {}
    variables: dict[str, Variable] = {}
    parameters: dict[str, msgspec.Raw] = {}
    tools: tuple[msgspec.Raw, ...] = ()
    output: str = ""
    example: dict[str, Any] = {}

    @property
    def plain_text(self) -> str:
        """The text of a prompt that is one system message without variables; else empty."""
        if len(self.messages) != 1 or self.locales or self.messages[0].role != "system":
            return ""
        parts = self.messages[0].parts
        if not all(isinstance(part, Text) for part in parts):
            return ""
        return "".join(part.text for part in parts if isinstance(part, Text))


class Segment(NamedTuple):
    """A piece of a rendered message, with what is known of where it is from.

    Attributes:
        text: The piece.
        origin: Where it is from; of several, that of the least trusted.
        trust: Whether it may tell the model what to do.
        names: Variables that it was made from, in order of their names; none for the prompt's own.
    """

    text: str
    origin: Origin
    trust: Trust
    names: tuple[str, ...] = ()


class Message(NamedTuple):
    """A rendered message."""

    role: Role
    segments: tuple[Segment, ...]

    @property
    def text(self) -> str:
        """All of it; what is lost are the labels, so only who sends it joins it."""
        return "".join(segment.text for segment in self.segments)
