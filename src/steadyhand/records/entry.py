"""Entries of the record log: records, and annotations of them. Pure."""

from typing import NamedTuple

import msgspec

from steadyhand.records.annotation import Annotation
from steadyhand.records.record import Record

_MAP, _TYPE = 0x80, 0xF0  # MessagePack's first byte of a map of up to 15 keys, and its mask

_decode_record = msgspec.msgpack.Decoder(Record).decode
_decode_annotation = msgspec.msgpack.Decoder(Annotation).decode


class Entry(NamedTuple):
    """One record of the log, with the bytes it was written as."""

    sequence: int
    record: Record
    payload: bytes


class Note(NamedTuple):
    """One annotation of the log, with the bytes it was written as."""

    sequence: int
    annotation: Annotation
    payload: bytes


def decode(sequence: int, payload: bytes) -> Entry | Note:
    """Read the payload of a sound frame; its first byte says which of the two it is.

    Raises:
        msgspec.DecodeError: It is of a shape unknown here.
    """
    if payload[0] & _TYPE == _MAP:
        return Note(sequence, _decode_annotation(payload), payload)
    return Entry(sequence, _decode_record(payload), payload)
