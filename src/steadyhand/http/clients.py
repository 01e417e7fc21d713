"""Open connections, all and by client, and whether one more may stay.

A client is an IPv4 address or an IPv6 network of 64 bits, which is what one subscriber gets. It is
counted in this process only. A connection that is turned away still takes a moment to read why; it
is not counted against anybody, and if too many are in that moment it is cut without a word.
"""

from ipaddress import IPv6Address
from typing import Literal

from steadyhand.http.limits import ServerLimits
from steadyhand.http.refusal import Refusal

MAX_BEING_TURNED_AWAY = 256
"""Refused connections that may still be open at once, to be told the reason."""


def client_of(address: str) -> str:
    """Return what stands for the client at an address; empty where there is none to tell."""
    if ":" not in address:
        return address
    try:
        parsed = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"


class Clients:
    """Counts connections; each that entered must leave.

    Attributes:
        staying: Connections that may ask.
        turned_away: Connections that are being told that they may not.
    """

    __slots__ = ("_by_client", "_limits", "staying", "turned_away")

    def __init__(self, limits: ServerLimits) -> None:
        """Count nobody."""
        self.staying = self.turned_away = 0
        self._by_client: dict[str, int] = {}
        self._limits = limits

    def enter(self, client: str) -> Refusal | None:
        """Count a connection in; the refusal, if it may not stay."""
        limits = self._limits
        held = self._by_client.get(client, 0)
        refusal = None
        if self.staying >= limits.max_connections:
            refusal = Refusal(503, "too_many_connections", "too many connections are open")
        elif 0 < limits.max_connections_per_client <= held and client:
            refusal = Refusal(
                429,
                "too_many_connections_of_client",
                f"more than {limits.max_connections_per_client} connections of {client} are open",
            )
        if refusal is None:
            self.staying += 1
            self._by_client[client] = held + 1
        else:
            self.turned_away += 1
        return refusal

    def leave(self, client: str, ended: Literal["stayed", "turned away"]) -> None:
        """Count a connection out that :meth:`enter` counted in."""
        if ended == "turned away":
            self.turned_away -= 1
            return
        self.staying -= 1
        held = self._by_client[client] - 1
        if held:
            self._by_client[client] = held
        else:
            del self._by_client[client]

    @property
    def may_be_told(self) -> bool:
        """Whether a connection that is turned away has the time to read why."""
        return self.turned_away <= MAX_BEING_TURNED_AWAY
