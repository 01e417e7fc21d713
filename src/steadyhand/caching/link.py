"""The way to a tier outside of this process: Redis, or the database in the control process."""

from collections.abc import Sequence
from typing import Protocol

import msgspec


class Item(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A sealed entry on its way to be stored.

    Attributes:
        address: Where.
        sealed: See :mod:`steadyhand.caching.entry`.
        expires_us: Wall clock after which it is of no use, microseconds since 1970.
        tenant: Whose it is, so that a flush can delete it.
        route: Of which route, likewise.
    """

    address: bytes
    sealed: bytes
    expires_us: int
    tenant: str
    route: str


class LinkFailed(Exception):
    """The tier did not do what was asked.

    Attributes:
        reason: ``refused``, ``reset``, ``auth``, ``full``, ``protocol``, ``busy``, ``error``.
    """

    def __init__(self, reason: str) -> None:
        """Name the reason; it becomes the label of a metric."""
        super().__init__(reason)
        self.reason = reason


class Link(Protocol):
    """Asks and tells one tier; the caller bounds each call in time by cancelling it.

    A cancelled or failed call leaves the link as good as new: what came late must never be taken
    for the answer to the next call.
    """

    @property
    def backend(self) -> str:
        """``redis`` or ``database``."""
        ...

    @property
    def is_open(self) -> bool:
        """Whether the next look needs no connection to be made first."""
        ...

    async def open(self) -> None:
        """Connect and log in, so that the next look is one round trip.

        Raises:
            LinkFailed: It cannot be reached, or does not let us in.
        """
        ...

    async def get(self, addresses: Sequence[bytes]) -> Sequence[bytes | None]:
        """Return what is stored at each address, in order.

        Raises:
            LinkFailed: Nothing is known.
        """
        ...

    async def put(self, items: Sequence[Item]) -> None:
        """Store all ``items``.

        Raises:
            LinkFailed: Some or all of them are not stored.
        """
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...
