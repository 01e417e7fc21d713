"""An index as one file's bytes: written when a workspace is published, read by every gateway.

Rows of numbers lie in the file as they are used, so that loading is one read and a check of its
SHA-256; only the vocabulary becomes objects, in blocks, with a breath between them, because a
thread that decodes all of it at once would hold up the answers of the process.

    magic 8 · SHA-256 of the rest 32 · length of the plan 4 · plan · padding to 8 · rows · texts

The bytes are read, not mapped: a mapped file that is cut short kills the process that touches it.
"""

import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Final

import msgspec

from steadyhand.core.errors import SteadyhandError
from steadyhand.knowledge.index import Index, Numbers, Weights, compile_index
from steadyhand.knowledge.model import Entry

SCHEME: Final = b"3"
"""Raised whenever the same entries would make another file: layout, words, weights."""

MAGIC: Final = b"SHANSW" + SCHEME + (b"<" if sys.byteorder == "little" else b">")
"""Scheme and byte order: rows are this machine's, as is the state directory."""

BLOCK = 1_000
"""Terms that are decoded at once: some 50 µs."""

_ROWS = (
    *(
        "found_at",
        "found",
        "hit_at",
        "hit",
        "impact",
        "phrasing_at",
        "phrase_at",
        "phrase",
        "lightest",
    ),
    *("audience", "locale", "expires_day", "text_at"),
)
_HEAD = len(MAGIC) + 32


class CollectionDamaged(SteadyhandError):
    """A compiled collection is not what was written: cut, changed, or of another version."""

    code = "collection_damaged"


class _Plan(msgspec.Struct, frozen=True):
    """What lies where: lengths in numbers, in the order of ``_ROWS``."""

    digest: str
    terms: list[msgspec.Raw]
    spelled: list[msgspec.Raw]
    spelled_terms: list[int]
    weights: int
    rows: list[int]
    audiences: tuple[tuple[str, ...], ...]
    locales: tuple[str, ...]
    spoken: int


def digest_of(entries: Sequence[Entry]) -> str:
    """Return the name of the file that ``entries`` make, the same on every machine."""
    return hashlib.sha256(SCHEME + msgspec.msgpack.encode(entries)).hexdigest()


def pack(entries: Sequence[Entry]) -> bytes:
    """Compile ``entries`` and return the file; the same entries give the same bytes."""
    encoded = [msgspec.msgpack.encode(entry) for entry in entries]
    index = compile_index(entries, encoded)
    rows: list[Numbers] = [getattr(index, name) for name in _ROWS]
    plan = msgspec.msgpack.encode(
        _Plan(
            digest=digest_of(entries),
            terms=[msgspec.Raw(block) for block in _blocks(list(index.vocabulary))],
            spelled=[msgspec.Raw(block) for block in _blocks(list(index.spelled))],
            spelled_terms=list(index.spelled.values()),
            weights=len(index.weight),
            rows=[len(row) for row in rows],
            audiences=index.audiences,
            locales=index.locales,
            spoken=index.spoken,
        )
    )
    body = len(plan).to_bytes(4, "little") + plan
    body += bytes(-(_HEAD + len(body)) % 8) + bytes(index.weight)
    body += b"".join(bytes(row) for row in rows) + bytes(index.texts)
    return MAGIC + hashlib.sha256(body).digest() + body


def unpack(content: bytes, digest: str, breathe: Callable[[], None]) -> Index:
    """Return the index of which ``content`` is the file.

    Args:
        content: The whole file; the index keeps it.
        digest: What it must be the file of; see :func:`digest_of`.
        breathe: Called between blocks; lets other threads run.

    Raises:
        CollectionDamaged: It is not a whole file of this version.
    """
    body = memoryview(content)[_HEAD:]
    if content[: len(MAGIC)] != MAGIC:
        raise CollectionDamaged("not a compiled collection of this version and machine")
    if hashlib.sha256(body).digest() != content[len(MAGIC) : _HEAD]:
        raise CollectionDamaged("a compiled collection fails its checksum")
    size = int.from_bytes(body[:4], "little")
    plan = msgspec.msgpack.decode(body[4 : 4 + size], type=_Plan)
    if plan.digest != digest:
        raise CollectionDamaged("a compiled collection is that of other answers")
    breathe()
    at = 4 + size + -(_HEAD + 4 + size) % 8
    weight: Weights = body[at : at + 8 * plan.weights].cast("d")
    at += 8 * plan.weights
    rows: dict[str, Numbers] = {}
    for name, length in zip(_ROWS, plan.rows, strict=True):
        rows[name] = body[at : at + 4 * length].cast("I")
        at += 4 * length
    return Index(
        vocabulary=dict(zip(_words(plan.terms, breathe), count(), strict=False)),
        spelled=dict(zip(_words(plan.spelled, breathe), plan.spelled_terms, strict=True)),
        weight=weight,
        audiences=plan.audiences,
        locales=plan.locales,
        texts=body[at:],
        spoken=plan.spoken,
        **rows,
    )


def entry_at(index: Index, number: int) -> Entry:
    """Return one entry of an index."""
    return msgspec.msgpack.decode(index.text(number), type=Entry)


def _blocks(items: Sequence[object]) -> list[bytes]:
    return [msgspec.msgpack.encode(items[at : at + BLOCK]) for at in range(0, len(items), BLOCK)]


def _words(blocks: Sequence[msgspec.Raw], breathe: Callable[[], None]) -> Iterator[str]:
    for block in blocks:
        yield from msgspec.msgpack.decode(block, type=list[str])
        breathe()
