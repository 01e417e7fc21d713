"""Who gets a candidate, and whom it is compared with: a draw that each unit keeps. Pure.

A unit is a conversation, a user or a key. Its place in [0, 10000) is a hash of salt and unit, so a
weight that grows moves units from the stable release to the candidate and none back, and another
salt draws anew. The weight holds only while its lease does: a gateway that nobody renews it for,
because the control process is dead or cannot be reached, serves the stable release.

Slices are what is compared: one of the candidate, from 0 up, and some of stable, from 10000 down.
All have the same weight, and each has a cache and health of its own that began with the rollout.
So if the candidate is no worse than stable they cannot be told apart: a cold cache or a breaker
that opened late is shared by all of them. More control slices find a fault sooner, and cost more
cold caches; see ADR 0047 for the measurement behind :data:`MOST_CONTROLS`.
"""

from collections.abc import Set as AbstractSet
from hashlib import blake2b
from typing import Final, Literal, NamedTuple

Arm = Literal["", "stable", "candidate", "control"]
Unit = Literal["conversation", "user", "key"]
WHOLE: Final = 10_000
HALF: Final = WHOLE // 2
LEASE_S: Final = 30.0
"""For how long a candidate is served after the last word of the control process."""

MOST_CONTROLS: Final = 3
MOST_COLD: Final = HALF
"""Several control slices are made only as long as all slices together are at most this."""


class Lease:
    """Until when a process may serve candidates, and which it may not serve at all.

    Attributes:
        until_us: Microseconds since 1970; 0 for not at all.
        drained: Salts of candidates that are taken off already, though channels still name them.
    """

    __slots__ = ("drained", "until_us")

    def __init__(self, until_us: int = 0, drained: AbstractSet[str] = frozenset()) -> None:
        """Begin with no lease."""
        self.until_us = until_us
        self.drained = drained


class Slices(NamedTuple):
    """What a weight is made of.

    Attributes:
        weight: Of the candidate, in basis points.
        size: Of each compared slice, in basis points.
        controls: Number of control slices.
    """

    weight: int
    size: int
    controls: int


class Assigned(NamedTuple):
    """Where a request belongs.

    Attributes:
        arm: Whose answer it gets; empty where no registry feeds the channel. ``control`` is stable.
        salt: Of the rollout; empty if there is none.
        unit: Who asks, as a number in [0, 2^53) that says nothing without the salt.
        slices: In force.
        part: Of the compared slices: 0 for the candidate's, 0, 1 ... for the control's; -1 if it is
            in none of them.
    """

    arm: Arm
    salt: str = ""
    unit: int = 0
    slices: Slices = Slices(0, 0, 0)
    part: int = -1


UNASSIGNED: Final = Assigned("")
STABLE: Final = Assigned("stable")


def slices(weight: int) -> Slices:
    """Return what is compared while the candidate has ``weight``, in basis points.

    Beyond a half the slices are as large as what is held back from the candidate.
    """
    if weight > HALF:
        size = WHOLE - weight
        return Slices(weight, size, 1 if size else 0)
    controls = 1
    while controls < MOST_CONTROLS and (controls + 2) * weight <= MOST_COLD:
        controls += 1
    return Slices(weight, weight, controls if weight else 0)


def assigned(salt: str, cut: Slices, unit: str) -> Assigned:
    """Return where ``unit`` belongs.

    Args:
        salt: Of the candidate.
        cut: In force.
        unit: Who asks.
    """
    digest = blake2b(f"{salt}\0{unit}".encode(), digest_size=16).digest()
    place = int.from_bytes(digest[:8], "big") * WHOLE >> 64
    number = int.from_bytes(digest[8:], "big") >> 11
    if place < cut.weight:
        return Assigned("candidate", salt, number, cut, 0 if place < cut.size else -1)
    part = (WHOLE - 1 - place) // cut.size if cut.size else cut.controls
    if part < cut.controls:
        return Assigned("control", salt, number, cut, part)
    return Assigned("stable", salt, number, cut)


def is_exposed(salt: str, now_us: int, lease: Lease) -> bool:
    """Tell whether the candidate of ``salt`` may be served at ``now_us``."""
    return now_us < lease.until_us and salt not in lease.drained


def scope(salt: str, arm: Arm, cut: Slices, part: int) -> str:
    """Return the name of the cache and the health that an arm uses; empty for the shared ones.

    When the weight passes a half, what is compared begins anew beside the rest of the candidate's
    traffic, which goes on with the cache that it has warmed, also once it is stable.
    """
    if part < 0:
        return salt if arm == "candidate" else ""
    stage = "/bake" if cut.weight > HALF else ""
    return f"{salt}{stage}/control/{part}" if arm == "control" else f"{salt}{stage}"
