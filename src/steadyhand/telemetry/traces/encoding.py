"""Spans as the body of an OTLP request: protobuf, gzipped. Pure.

Written by hand: messages of seven kinds, and the classes that a compiler makes of them take five
times as long as the rest of a span together. ``tests/unit/telemetry/traces/test_encoding.py`` reads
it back with those classes.

Source: opentelemetry-proto 1.x, ``collector/trace/v1``, ``trace/v1``, ``common/v1``; numbers of
fields stand beside their names. Protobuf's wire is at protobuf.dev/programming-guides/encoding.
"""

import gzip
import struct
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from steadyhand.telemetry.traces.span import Span, SpanEvent, Value

SCOPE: Final = "steadyhand"
LONGEST: Final = 2_048
"""Characters of one value."""
SHORT: Final = 128
"""Characters of a value whose bytes are kept for the next request."""
_LEVEL: Final = 1  # at higher ones the control process works twice as long for a tenth of the size
_KINDS = {"internal": 1, "server": 2, "client": 3}
_SAMPLED, _KNOWS_REMOTE, _IS_REMOTE = 0x1, 0x100, 0x200
_ERROR: Final = b"\x18\x02"  # Status.code 3 = STATUS_CODE_ERROR

_fixed64 = struct.Struct("<Q").pack
_fixed32 = struct.Struct("<I").pack
_double = struct.Struct("<d").pack


def encode(spans: Sequence[Span], about: Mapping[str, Value], version: str) -> bytes:
    """Return the gzipped body that tells ``spans``; ``about`` is the resource's attributes."""
    scope = _field(1, _field(1, SCOPE.encode()) + _field(2, version.encode()))
    told = _field(2, scope + b"".join([_field(2, _span(each)) for each in spans]))
    resource = _field(1, _attributes(1, about))
    return gzip.compress(_field(1, resource + told), _LEVEL, mtime=0)


def rejected(body: bytes) -> tuple[int, str]:
    """Return how many spans a receiver says that it did not take, and why.

    What cannot be read says nothing: the status says that the rest was taken.
    """
    count, message = 0, ""
    try:
        for number, partial in _fields(body):
            if number != 1 or not isinstance(partial, bytes):
                continue
            for inner, value in _fields(partial):
                if inner == 1 and isinstance(value, int):
                    count = value
                elif inner == 2 and isinstance(value, bytes):
                    message = value.decode("utf-8", "replace")
    except (IndexError, ValueError):
        return 0, ""
    return (count if count < 1 << 63 else 0), message


def _span(span: Span) -> bytes:
    flags = _SAMPLED if span.is_sampled else 0
    flags |= _KNOWS_REMOTE | (_IS_REMOTE if span.is_remote_parent else 0)
    parts = [
        b"\x0a\x10" + bytes.fromhex(span.trace_id),  # 1
        b"\x12\x08" + bytes.fromhex(span.span_id),  # 2
        _field(4, bytes.fromhex(span.parent_id)) if span.parent_id else b"",
        _field(5, _text(span.name)),
        b"\x30%c" % _KINDS[span.kind],  # 6
        b"\x39" + _fixed64(span.started_us * 1_000),  # 7
        b"\x41" + _fixed64(span.ended_us * 1_000),  # 8
        _attributes(9, span.attributes),
        *[_field(11, _event(each)) for each in span.events],
        _field(15, _field(2, _text(span.failure)) + _ERROR) if span.failure else b"",
        b"\x85\x01" + _fixed32(flags),  # 16
    ]
    return b"".join(parts)


def _event(event: SpanEvent) -> bytes:
    at = b"\x09" + _fixed64(event.at_us * 1_000)  # 1
    return at + _field(2, _text(event.name)) + _attributes(3, event.attributes)


def _attributes(number: int, values: Mapping[str, Value]) -> bytes:
    return b"".join(
        [
            _short_attribute(number, key, value)
            if isinstance(value, str) and len(value) <= SHORT
            else _field(number, _key(key) + _field(2, _value(value)))
            for key, value in values.items()
        ]
    )


@lru_cache(maxsize=8_192)  # most are the same from request to request
def _short_attribute(number: int, key: str, value: str) -> bytes:
    return _field(number, _key(key) + _field(2, _value(value)))


@lru_cache(maxsize=512)
def _key(key: str) -> bytes:
    return _field(1, key.encode())


def _value(value: Value) -> bytes:
    if isinstance(value, bool):
        return b"\x10\x01" if value else b"\x10\x00"  # 2
    if isinstance(value, int):
        return b"\x18" + _varint(value & 0xFFFF_FFFF_FFFF_FFFF)  # 3
    if isinstance(value, float):
        return b"\x21" + _double(value)  # 4
    if isinstance(value, str):
        return _field(1, _text(value))
    return _field(5, b"".join([_field(1, _field(1, _text(one))) for one in value]))


def _text(value: str) -> bytes:
    """Return text as protobuf takes it: no lone surrogates, and of bounded length."""
    return value[:LONGEST].encode("utf-8", "replace")


def _field(number: int, data: bytes) -> bytes:
    """Return a field of bytes, text or a message."""
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    if value < 0x80:
        return value.to_bytes(1, "little")
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield number and value of each field.

    Raises:
        IndexError: The data ends inside one.
        ValueError: It is of a kind that does not occur here.
    """
    at = 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        if tag & 7 == 0:
            value, at = _read_varint(data, at)
            yield tag >> 3, value
        elif tag & 7 == 2:
            size, at = _read_varint(data, at)
            if at + size > len(data):
                raise IndexError
            yield tag >> 3, data[at : at + size]
            at += size
        else:
            raise ValueError(tag)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            raise ValueError(shift)
