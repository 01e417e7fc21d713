r"""Edit a JSON object by splice: change one field, leave every other byte as the client sent it.

Parsing and writing again would round 64-bit integers, reorder and respell; a gateway that does it
changes requests it was only asked to carry. So edits work on byte positions of top-level fields.

Finding them is the cost. The usual case is settled by counting: inside JSON strings quotes are
escaped, so the bytes ``"model"`` without a backslash before them can only be a key, or a string
that is exactly that word. If they occur once, and no ``\u`` escape of an ASCII letter could spell
the key otherwise, that is the field. Only other bodies are scanned, by a tokenizer whose every step
is one regular-expression match. Names of fields are made of ASCII letters and ``_``.

The quantifiers are possessive: a match of a string of megabytes must not keep a stack of it.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import msgspec

from steadyhand.core.errors import InvalidRequest

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_SCALAR = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[^\s,}\]]+', re.DOTALL)
_STEPS = {b"{": 1, b"[": 1, b"}": -1, b"]": -1}
_COLON = re.compile(rb"\s*:\s*")
_SPELLED = re.compile(rb"\\u00[4567]")


class Span(NamedTuple):
    """Where a top-level field stands: ``body[key:end]`` is ``"name": value``."""

    key: int
    value: int
    end: int


def find(body: bytes, name: bytes) -> Span | None:
    """Return where the top-level field ``name`` stands in ``body``, a valid JSON object.

    Raises:
        InvalidRequest: The field stands there twice; readers disagree about which one counts.
    """
    settled = _settle(body, name)
    if settled is None:
        return None
    key, value = settled
    if value < 0:
        return _scan(body, name)
    end = _end(body, name, value)
    return Span(key, value, end) if end else _scan(body, name)


def _end(body: bytes, name: bytes, value: int) -> int:
    """Return where the value of ``name``, at ``value``, ends; 0 if that cannot be told."""
    if body[value] not in b"{[":
        match = _SCALAR.match(body, value)
        return match.end() if match is not None else 0
    try:
        return value + len(_one(name).decode(body).value)
    except msgspec.DecodeError:
        return 0


@cache
def _one(name: bytes) -> msgspec.json.Decoder[Any]:
    """Return what reads the field ``name`` alone, as it stands; names are the house's, so few."""
    kind = msgspec.defstruct("One", [("value", msgspec.Raw)], rename={"value": name.decode()})
    return msgspec.json.Decoder(kind)


def _settle(body: bytes, name: bytes) -> tuple[int, int] | None:
    """Return the positions of key and value by counting, ``(-1, -1)`` if that cannot tell."""
    quoted = b'"%b"' % name
    at = body.find(quoted)
    spelled = b"\\u00" in body and _SPELLED.search(body) is not None
    if spelled or (at >= 0 and body.find(quoted, at + 1) >= 0):
        return -1, -1
    if at < 0 or body[at - 1] == 0x5C:  # an escaped quote: within a longer string
        return None
    match = _COLON.match(body, at + len(quoted))
    if match is None or not _is_outermost(body, at):  # a string that equals the name; or nested
        return None
    return at, match.end()


def _is_outermost(body: bytes, at: int) -> bool:
    """Tell whether position ``at``, where a token begins, is directly inside the object.

    Brackets are counted in the shorter part of the body, before it or after it.
    """
    if at * 2 < len(body):
        head = _STRING.sub(b"", body[:at])
        opened = head.count(b"{") + head.count(b"[")
        return opened - head.count(b"}") - head.count(b"]") == 1
    tail = _STRING.sub(b"", body[at:])
    closed = tail.count(b"}") + tail.count(b"]")
    return closed - tail.count(b"{") - tail.count(b"[") == 1


def _scan(body: bytes, name: bytes) -> Span | None:
    """Find ``name`` by walking every token; for the rare bodies that counting cannot settle."""
    found = [span for key, span in _fields(body) if _unescape(key) == name]
    if len(found) > 1:
        raise InvalidRequest(f"field {name.decode()!r} is given twice", param=name.decode())
    return found[0] if found else None


def _fields(body: bytes) -> Iterator[tuple[bytes, Span]]:
    """Yield each top-level field: its quoted key and where it stands."""
    depth, value, end = 0, -1, 0
    key: re.Match[bytes] | None = None
    for match in _TOKEN.finditer(body):
        token = match.group()
        if depth == 1 and key is not None and token in (b",", b"}"):
            yield key.group(), Span(key.start(), value, end)
            key, value = None, -1
        elif depth == 1 and key is None:
            key = match
        elif depth == 1 and value < 0 and token != b":":
            value = match.start()
        depth += _STEPS.get(token, 0)
        end = match.end()


def _unescape(token: bytes) -> bytes:
    r"""Return the bytes of a quoted key with its ``\uXXXX`` escapes of plain ASCII undone."""
    inner = token[1:-1]
    if b"\\" not in inner:
        return inner
    return re.sub(rb"\\u00([0-7][0-9a-fA-F])", lambda m: bytes([int(m.group(1), 16)]), inner)


def replace(body: bytes, span: Span, value: bytes) -> bytes:
    """Return ``body`` with another value in the field at ``span``."""
    return b"".join((body[: span.value], value, body[span.end :]))


def remove(body: bytes, span: Span) -> bytes:
    """Return ``body`` without the field at ``span`` and without the comma that it leaves over."""
    head, tail = body[: span.key], body[span.end :]
    if tail.lstrip()[:1] == b",":
        return head + tail[tail.index(b",") + 1 :]
    stripped = head.rstrip()
    return (stripped[:-1] if stripped.endswith(b",") else head) + tail


def append(body: bytes, name: bytes, value: bytes) -> bytes:
    """Return ``body`` with one more field at its end; ``body`` is a valid JSON object."""
    end = body.rindex(b"}")
    comma = b"" if body[:end].rstrip().endswith(b"{") else b","
    return b'%b%b"%b":%b%b' % (body[:end], comma, name, value, body[end:])


def set_field(body: bytes, name: bytes, value: bytes) -> bytes:
    """Return ``body`` with the top-level field ``name`` set, in place if it is there."""
    span = find(body, name)
    return append(body, name, value) if span is None else replace(body, span, value)


def remove_field(body: bytes, name: bytes) -> bytes:
    """Return ``body`` without the top-level field ``name``; unchanged if it is not there."""
    span = find(body, name)
    return body if span is None else remove(body, span)


def set_model(body: bytes, model_json: bytes, at: Span | None = None) -> bytes:
    """Return a chat body that names another model.

    Args:
        body: A chat body.
        model_json: The model's name as a JSON string, quoted.
        at: Where ``model`` stands in ``body``, if that is known already.
    """
    return set_field(body, b"model", model_json) if at is None else replace(body, at, model_json)


def ask_usage(body: bytes) -> bytes:
    """Return a streaming chat body whose ``stream_options`` ask for usage."""
    span = find(body, b"stream_options")
    if span is None:
        return append(body, b"stream_options", b'{"include_usage":true}')
    options = body[span.value : span.end]
    if options == b"null":
        return replace(body, span, b'{"include_usage":true}')
    return replace(body, span, set_field(options, b"include_usage", b"true"))


def put_first(body: bytes, name: bytes, element: bytes) -> bytes:
    """Return ``body`` with ``element`` put first in the array in top-level field ``name``.

    Raises:
        InvalidRequest: There is no such field, or it is not an array.
    """
    settled = _settle(body, name)
    if settled == (-1, -1):
        span = _scan(body, name)
        settled = None if span is None else (span.key, span.value)
    if settled is None or body[settled[1]] != 0x5B:
        raise InvalidRequest(f"{name.decode()!r} must be an array", param=name.decode())
    start = settled[1] + 1
    comma = b"" if body[start:].lstrip()[:1] == b"]" else b","
    return b"".join((body[:start], element, comma, body[start:]))
