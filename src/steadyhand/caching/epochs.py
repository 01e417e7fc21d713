"""Epochs: what a flush moves on, so that every entry from before has an address nobody asks for.

The control process writes them to a file of the state directory, in one step; gateways look at the
file four times a second. They survive restarts, and they reach what cannot be listed: another
process's memory, and Redis. This module is the pure part; ``epoch_file.py`` reads and writes.
"""

import msgspec

ALL = ""
"""Stands for every route, or every tenant."""


class Flush(msgspec.Struct, frozen=True):
    """One flush that is in force.

    Attributes:
        route: Whose entries went; :data:`ALL` for those of every route.
        tenant: Likewise.
        epoch: Wall clock in microseconds, but always more than that of the flush before.
    """

    route: str
    tenant: str
    epoch: int


class Epochs(msgspec.Struct, frozen=True):
    """All flushes in force; a wider one replaces those that it takes in."""

    flushes: tuple[Flush, ...] = ()

    def of(self, route: str, tenant: str) -> int:
        """Return the epoch of a route's answers to a tenant; 0 before the first flush."""
        return max(
            (each.epoch for each in self.flushes if _takes_in(each, route, tenant)), default=0
        )

    def after(self, route: str, tenant: str, now_us: int) -> "Epochs":
        """Return the epochs after a flush; :data:`ALL` takes in every route, or tenant."""
        last = max((each.epoch for each in self.flushes), default=0)
        new = Flush(route, tenant, max(now_us, last + 1))
        kept = (each for each in self.flushes if not _takes_in(new, each.route, each.tenant))
        return Epochs((*kept, new))


def _takes_in(flush: Flush, route: str, tenant: str) -> bool:
    return flush.route in (ALL, route) and flush.tenant in (ALL, tenant)


def decode(text: bytes) -> Epochs:
    """Read the file's text.

    Raises:
        msgspec.DecodeError: It is not such a text.
    """
    return msgspec.json.decode(text, type=Epochs)


def encode(epochs: Epochs) -> bytes:
    """Return the file's text."""
    return msgspec.json.encode(epochs)
