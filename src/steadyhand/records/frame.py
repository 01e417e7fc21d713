"""The bytes of the record log: one segment header, then frames. Pure.

A frame is ``length u32 | crc32 u32 | sequence u64 | payload``, little-endian. The checksum runs
over the payload and starts from the sequence folded to 32 bits, so it covers both. An empty payload
is not a frame, so a tail of zeros (made beforehand, or by a crash before its bytes came) is none
either.
"""

import re
import struct
from collections.abc import Callable
from typing import Literal, NamedTuple
from zlib import crc32

MAGIC = b"SHRECORD"
VERSION = 1
MAX_PAYLOAD = 256 * 1024
"""Bytes of the largest payload; a length past it is damage, not a frame."""

_HEADER = struct.Struct("<8sI32sQI")
_HEAD = struct.Struct("<IIQ")
HEADER_BYTES = _HEADER.size
HEAD_BYTES = _HEAD.size

pack_head: Callable[[int, int, int], bytes] = _HEAD.pack
"""Make a frame's head from length, checksum and sequence; :func:`checksum` says which sum."""

Stop = Literal["limit", "end", "partial", "zeros", "corrupt"]
"""Why a scan stopped.

``limit`` of frames reached; ``end`` of the buffer at a frame's edge; ``partial`` if the buffer ends
inside a frame; ``zeros`` if nothing else is left of it; ``corrupt`` if what stands there can be no
frame.
"""


class Frame(NamedTuple):
    """One entry of the log, its payload not yet decoded."""

    sequence: int
    payload: bytes


class Scan(NamedTuple):
    """What :func:`scan` found: whole frames, the offset after the last, and why it stopped."""

    frames: list[Frame]
    end: int
    stop: Stop


class Header(NamedTuple):
    """What a segment says of itself: its writer, and the first sequence it may hold."""

    writer: str
    first_sequence: int


def checksum(payload: bytes, sequence: int) -> int:
    """Return the checksum of a frame."""
    return crc32(payload, (sequence ^ sequence >> 32) & 0xFFFFFFFF)


def pack(sequence: int, payload: bytes) -> bytes:
    """Return one whole frame. ``payload`` is 1 to ``MAX_PAYLOAD`` bytes."""
    return pack_head(len(payload), checksum(payload, sequence), sequence) + payload


def pack_header(writer: str, first_sequence: int) -> bytes:
    """Return a segment's header. ``writer`` is 1 to 32 ASCII characters."""
    name = writer.encode("ascii")
    bare = _HEADER.pack(MAGIC, VERSION, name, first_sequence, 0)[:-4]
    return bare + crc32(bare).to_bytes(4, "little")


def parse_header(data: bytes) -> Header | None:
    """Read a segment's header; ``None`` if it is damaged or of a version unknown here."""
    magic, version, name, first_sequence, crc = _HEADER.unpack(data[:HEADER_BYTES])
    if crc32(data[: HEADER_BYTES - 4]) != crc or magic != MAGIC or version != VERSION:
        return None
    return Header(name.rstrip(b"\0").decode("ascii"), first_sequence)


def scan(data: bytes, limit: int) -> Scan:
    """Read up to ``limit`` whole frames from the start of ``data``."""
    frames: list[Frame] = []
    offset, size = 0, len(data)
    while offset < size:
        if len(frames) == limit:
            return Scan(frames, offset, "limit")
        start = offset + HEAD_BYTES
        if data[offset : offset + 4] == bytes(min(4, size - offset)) and is_blank(data[offset:]):
            return Scan(frames, offset, "zeros")
        if start > size:
            return Scan(frames, offset, "partial")
        length, crc, sequence = _HEAD.unpack_from(data, offset)
        if not 0 < length <= MAX_PAYLOAD:
            return Scan(frames, offset, "corrupt")
        if start + length > size:
            return Scan(frames, offset, "partial")
        payload = data[start : start + length]
        if checksum(payload, sequence) != crc:
            return Scan(frames, offset, "corrupt")
        frames.append(Frame(sequence, payload))
        offset = start + length
    return Scan(frames, offset, "end")


def is_blank(data: bytes) -> bool:
    """Tell whether ``data`` is nothing but zeros."""
    return data == bytes(len(data))


def find(data: bytes, after: int) -> int:
    """Return where the first whole, sound frame in ``data`` begins, at any offset; -1 for none.

    A way on behind damage. Its sequence lies near ``after``: its upper half is the same, and it is
    no further ahead than frames find room in ``data``, so that bytes which look like a frame by
    chance are not taken for one.
    """
    high = re.escape((after >> 32).to_bytes(4, "little"))
    heads = re.compile(rb"(?=(?!\0\0\0)..[\0-\4]\0.{8}" + high + rb")", re.DOTALL)
    most = after + len(data) // HEAD_BYTES + 1
    for match in heads.finditer(data):
        offset = match.start()
        length, crc, sequence = _HEAD.unpack_from(data, offset)
        start = offset + HEAD_BYTES
        if not 0 < length <= MAX_PAYLOAD or start + length > len(data) or not sequence <= most:
            continue
        if checksum(data[start : start + length], sequence) == crc:
            return offset
    return -1
