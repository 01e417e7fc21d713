"""What gateways and the control process say to each other about the cold tier: length, msgpack.

A gateway sends one request at a time on a connection and reads one reply. Pure.
"""

import msgspec

from steadyhand.caching.link import Item

HEAD_BYTES = 4
MOST_BYTES = 64 << 20
"""A longer message is nonsense."""


class Get(msgspec.Struct, tag="get", frozen=True, array_like=True):
    """What is stored at these addresses?"""

    addresses: list[bytes]


class Put(msgspec.Struct, tag="put", frozen=True, array_like=True):
    """Store these."""

    items: list[Item]


class Found(msgspec.Struct, tag="found", frozen=True, array_like=True):
    """The answer to :class:`Get`, in its order."""

    sealed: list[bytes | None]


class Taken(msgspec.Struct, tag="taken", frozen=True, array_like=True):
    """The answer to :class:`Put`: how many were queued; the others had no room."""

    count: int


class Failed(msgspec.Struct, tag="failed", frozen=True, array_like=True):
    """The database did not do it; ``reason`` as in :class:`steadyhand.caching.link.LinkFailed`."""

    reason: str


Question = Get | Put
Reply = Found | Taken | Failed

_encoder = msgspec.msgpack.Encoder()
_questions: msgspec.msgpack.Decoder[Question] = msgspec.msgpack.Decoder(Question)
_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


def pack(message: Question | Reply) -> bytes:
    """Return ``message`` as it travels."""
    body = _encoder.encode(message)
    return len(body).to_bytes(HEAD_BYTES, "big") + body


def length(head: bytes) -> int:
    """Return how many bytes follow a head.

    Raises:
        ValueError: More than any message has.
    """
    count = int.from_bytes(head, "big")
    if count > MOST_BYTES:
        raise ValueError(f"a message of {count} bytes")
    return count


def question(body: bytes) -> Question:
    """Read what a gateway says.

    Raises:
        msgspec.DecodeError: It says nothing of the kind.
    """
    return _questions.decode(body)


def reply(body: bytes) -> Reply:
    """Read what the control process says.

    Raises:
        msgspec.DecodeError: It says nothing of the kind.
    """
    return _replies.decode(body)
