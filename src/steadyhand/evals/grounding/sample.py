"""Samples of answers: which are drawn, and what is written of one. Pure.

The draw is a keyed hash of the request's id and of nothing else: it knows neither release nor arm,
so what is found among samples compares arms fairly. Its key is not that of any other draw. The
probability is kept with each sample, so that rates stay unbiased when it is changed.
"""

from hashlib import blake2b
from typing import Final, Literal

import msgspec

Problem = Literal["", "not_plain", "too_long"]
"""Why an answer cannot be measured, known when it is drawn."""

KIND: Final = "grounding_sample"
"""Of the entry in the log of samples, whose frames are those of the record log."""
_DRAW: Final = b"steadyhand grounding"  # at most 16 bytes of it are a hash's person
_WHOLE: Final = 1 << 64


class Terms(msgspec.Struct, frozen=True):
    """What is sampled of a route.

    Attributes:
        probability: Of each answer, above 0 and at most 1.
        keep_s: For how long a sample is kept.
        collections: Whose curated answers on what was asked count as context.
    """

    probability: float
    keep_s: float
    collections: tuple[str, ...] = ()


class Arm(msgspec.Struct, frozen=True, array_like=True):
    """Where the request stood in a rollout.

    Attributes:
        rollout: Salt of the candidate; empty for none.
        unit: Who asked.
        slot: Which slice it was in.
        weight: Of the candidate then, basis points.
        controls: Number of control slices then.
    """

    rollout: str = ""
    unit: int = 0
    slot: int = 0
    weight: int = 0
    controls: int = 0


NO_ARM: Final = Arm()


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """An answer that was drawn. Fields are appended, never reordered.

    Attributes:
        tenant: Whose it is.
        route: That answered.
        release: Digest of the release that answered; empty for the workspace.
        probability: With which it was drawn.
        keep_s: For how long it is kept.
        asked: The request as it went to the model; empty if it was too long.
        answer: What it said; empty if that is no plain text, or was too long.
        problem: Why it cannot be measured, known when it was drawn; empty if it may be.
        arm: Of a rollout.
        collections: Whose curated answers on what was asked count as context.
    """

    tenant: str
    route: str
    release: str
    probability: float
    keep_s: float
    asked: bytes
    answer: str
    problem: Problem = ""
    arm: Arm = NO_ARM
    collections: tuple[str, ...] = ()


_DECODER: Final = msgspec.msgpack.Decoder(Sample)


def encoded(sample: Sample) -> bytes:
    """Return the bytes that are kept."""
    return msgspec.msgpack.encode(sample)


def decoded(body: bytes) -> Sample:
    """Return what ``body`` keeps.

    Raises:
        msgspec.DecodeError: It is of a shape unknown here.
    """
    return _DECODER.decode(body)


def draw_key(secret: bytes) -> bytes:
    """Return the key of the draw, made of a secret that gateways of an installation share."""
    return blake2b(secret, digest_size=32, person=_DRAW[:16]).digest()


def is_drawn(key: bytes, request_id: str, probability: float) -> bool:
    """Tell whether the answer to a request is sampled."""
    digest = blake2b(request_id.encode(), key=key, digest_size=8).digest()
    return int.from_bytes(digest, "big") < probability * _WHOLE
