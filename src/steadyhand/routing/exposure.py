"""Who gets a candidate: a draw that stays the same for each unit. Pure.

A unit is a conversation, else a user, else a key. Its place in [0, 10000) is a hash of salt and
unit, so a weight that grows moves units from the stable release to the candidate and none back,
and another salt draws anew. The weight holds only while its lease does: a gateway that nobody
renews it for, because the control process is dead or cannot be reached, serves the stable release.
"""

from hashlib import blake2b
from typing import Final, Literal

Arm = Literal["stable", "candidate"]
WHOLE: Final = 10_000
LEASE_S: Final = 30.0
"""For how long a candidate is served after the last word of the control process."""


class Lease:
    """Until when a process may serve candidates.

    Attributes:
        until_us: Microseconds since 1970; 0 for not at all.
    """

    __slots__ = ("until_us",)

    def __init__(self, until_us: int = 0) -> None:
        """Begin with no lease."""
        self.until_us = until_us


def place(salt: str, unit: str) -> int:
    """Return where ``unit`` stands in [0, 10000)."""
    digest = blake2b(f"{salt}\0{unit}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") * WHOLE >> 64


def assigned(salt: str, weight: int, unit: str, now_us: int, lease_until_us: int) -> Arm:
    """Return which release ``unit`` gets.

    Args:
        salt: Of the candidate.
        weight: Of the candidate, in basis points.
        unit: Who asks.
        now_us: Wall clock, microseconds since 1970.
        lease_until_us: Until when candidates may be served.
    """
    if now_us >= lease_until_us or not weight:
        return "stable"
    return "candidate" if place(salt, unit) < weight else "stable"
