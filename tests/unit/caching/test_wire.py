"""Messages between gateways and the control process come back as they went."""

import msgspec
import pytest

from steadyhand.caching import wire
from steadyhand.caching.link import Item

ITEM = Item(b"a" * 32, b"sealed", 5, "acme", "support")


@pytest.mark.parametrize("asked", [wire.Get([b"a", b"b"]), wire.Put([ITEM])])
def test_questions(asked: wire.Question) -> None:
    packed = wire.pack(asked)
    assert wire.length(packed[: wire.HEAD_BYTES]) == len(packed) - wire.HEAD_BYTES
    assert wire.question(packed[wire.HEAD_BYTES :]) == asked


@pytest.mark.parametrize("said", [wire.Found([b"a", None]), wire.Taken(3), wire.Failed("x")])
def test_replies(said: wire.Reply) -> None:
    assert wire.reply(wire.pack(said)[wire.HEAD_BYTES :]) == said


def test_a_length_beyond_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="4294967295 bytes"):
        wire.length(b"\xff\xff\xff\xff")


def test_a_reply_is_no_question() -> None:
    with pytest.raises(msgspec.DecodeError):
        wire.question(wire.pack(wire.Taken(1))[wire.HEAD_BYTES :])
