"""What is asked: the last message, if it is a question that can stand alone. Pure.

A curated answer knows nothing of what was said before it. So it may answer only a message that
needs nothing before it, and only one in plain text: it sees neither pictures nor tools' results.
"""

import msgspec

from steadyhand.knowledge.words import words

LONGEST = 1_000
"""Characters. Whoever writes more describes a case of his own, and wants an answer to that."""

_REFERRING = """
    it its this that these those they them their he she him her one ones same instead again
    above previous earlier former latter"""
REFERRING = frozenset(_REFERRING.split())
"""Words that point at something said before, when there is something before."""

_OPENING = "and but or so then also ok okay yes no why really"
OPENING = frozenset(_OPENING.split())
"""First words that go on with a conversation."""

FEWEST_WORDS = 4
"""Of a message inside a conversation: "in version 14?" is no question of its own."""


class _Part(msgspec.Struct):
    type: str
    text: str = ""


class _Message(msgspec.Struct):
    role: str
    content: str | list[_Part] | None = None


class Asked(msgspec.Struct, frozen=True):
    """What a conversation ends with.

    Attributes:
        text: The question, or empty.
        reason: Why there is none; empty if there is.
    """

    text: str
    reason: str = ""


_decoder = msgspec.json.Decoder(_Message)


def asked(messages: list[msgspec.Raw]) -> Asked:
    """Return the question that ``messages`` end with.

    Reasons: ``no_question`` (the last message is not a user's, or empty), ``not_text``,
    ``too_long``, ``needs_context``.
    """
    if not messages:
        return Asked("", "no_question")
    try:
        last = _decoder.decode(messages[-1])
    except (msgspec.DecodeError, RecursionError):
        return Asked("", "not_text")
    if last.role != "user":
        return Asked("", "no_question")
    text = _text(last.content)
    if text is None:
        return Asked("", "not_text")
    return _judged(text.strip(), has_history=_has_history(messages[:-1]))


def _judged(text: str, *, has_history: bool) -> Asked:
    if not text:
        return Asked("", "no_question")
    if len(text) > LONGEST:
        return Asked("", "too_long")
    if has_history and not stands_alone(text):
        return Asked("", "needs_context")
    return Asked(text)


def stands_alone(text: str) -> bool:
    """Tell whether a message inside a conversation can be understood without what came before."""
    said = words(text)
    if len(said) < FEWEST_WORDS or said[0] in OPENING:
        return False
    return not REFERRING.intersection(said)


def _text(content: str | list[_Part] | None) -> str | None:
    if isinstance(content, str):
        return content
    if content is None or any(part.type != "text" for part in content):
        return None
    return "\n".join(part.text for part in content)


def _has_history(before: list[msgspec.Raw]) -> bool:
    """Tell whether anybody has spoken yet; instructions are no conversation."""
    return any(_role(message) not in ("system", "developer") for message in before)


def _role(message: msgspec.Raw) -> str:
    try:
        return _decoder_of_roles.decode(message).role
    except (msgspec.DecodeError, RecursionError):
        return ""


class _Role(msgspec.Struct):
    role: str = ""


_decoder_of_roles = msgspec.json.Decoder(_Role)
