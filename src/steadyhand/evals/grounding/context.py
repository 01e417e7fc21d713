"""What an answer was given to stand in: the labelled parts of its messages. Pure.

Labelled are results of tools (roles ``tool`` and ``function``), and in messages of any other role
but the assistant's the blocks ``<document>``, ``<context>``, ``<source>``, ``<passage>`` and
``<search_result>``, with whatever attributes. All else is instruction or question, and no answer
becomes true by being asked for.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

MOST_SEGMENTS: Final = 200
LABELS: Final = ("document", "context", "source", "passage", "search_result")
_TOOLS: Final = ("tool", "function")
_OPEN: Final = re.compile(rf"<({'|'.join(LABELS)})(?:\s[^<>]{{0,400}})?>")


class Message(msgspec.Struct):
    """What is read of a message. Content may be of any shape: a client wrote it."""

    role: Any = ""
    content: Any = None


class Request(msgspec.Struct):
    """What is read of a request."""

    messages: list[Message]


_DECODER: Final = msgspec.json.Decoder(Request)


def segments(asked: bytes) -> list[str]:
    """Return the labelled parts of a chat request, in order; none of what is no such request.

    A block that is not closed ends with its message.
    """
    try:
        read = _DECODER.decode(asked).messages
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    found: list[str] = []
    for message in read:
        for text in _texts(message.content):
            if message.role in _TOOLS:
                found.append(text)
            elif message.role != "assistant":
                found += blocks(text)
    return found[:MOST_SEGMENTS]


def blocks(text: str) -> list[str]:
    """Return what stands in the labelled blocks of a text; of nested ones the outermost."""
    found: list[str] = []
    at = 0
    while (begin := _OPEN.search(text, at)) is not None:
        end = text.find(f"</{begin[1]}>", begin.end())
        at = len(text) if end < 0 else end
        found.append(text[begin.end() : at].strip())
    return [one for one in found if one]


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for part in content:
            text = part.get("text") if isinstance(part, dict) else None
            if isinstance(text, str):
                yield text
