"""Addresses of a name: in which order they are tried, and how long they count. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple


class Address(NamedTuple):
    """Where a connection may go.

    Attributes:
        family: Address family, as the socket module numbers it.
        place: What ``socket.connect`` takes: host and port first.
    """

    family: int
    place: tuple[Any, ...]

    @property
    def shown(self) -> str:
        """The address without its port, for messages."""
        return str(self.place[0])


def interleaved(addresses: Iterable[Address]) -> tuple[Address, ...]:
    """Return each address once, families taking turns, the first one's family first.

    A family whose route is dead then costs one step, not one for each of its addresses.

    Source: RFC 8305, section 4.
    """
    families: dict[int, list[Address]] = {}
    for address in dict.fromkeys(addresses):
        families.setdefault(address.family, []).append(address)
    mixed: list[Address] = []
    for index in range(max(map(len, families.values()), default=0)):
        mixed += [found[index] for found in families.values() if index < len(found)]
    return tuple(mixed)


class KnownAddresses:
    """What the last look-ups of one name found, in the order to try.

    Attributes:
        addresses: Of the last look-up that found any; empty if none has.
        due_s: Monotonic second from which a new look-up is wanted.
    """

    __slots__ = ("_retry_s", "_ttl_s", "addresses", "due_s")

    def __init__(self, ttl_s: float, retry_s: float) -> None:
        """Know nothing; ``ttl_s`` after a find, ``retry_s`` after a failure to find."""
        self._ttl_s = ttl_s
        self._retry_s = retry_s
        self.addresses: tuple[Address, ...] = ()
        self.due_s = float("-inf")

    def found(self, addresses: Sequence[Address], now_s: float) -> None:
        """Take what a look-up found, instead of what was known."""
        self.addresses = interleaved(addresses)
        self.due_s = now_s + self._ttl_s

    def not_found(self, now_s: float) -> None:
        """Keep what is known, and do not ask again at once."""
        self.due_s = now_s + self._retry_s

    def failed(self, address: Address) -> None:
        """Try ``address`` last from now on."""
        if address in self.addresses:
            others = tuple(other for other in self.addresses if other != address)
            self.addresses = (*others, address)

    def all_failed(self) -> None:
        """Want a new look-up now: the name may have moved."""
        self.due_s = float("-inf")
