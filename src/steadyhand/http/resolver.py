"""Look up one name without ever blocking the event loop, and survive a resolver that is gone.

``getaddrinfo`` can neither be cancelled nor bounded, so it runs in a thread of its own: a daemon,
so that a stuck one holds up no exit, and one at a time for each name, so that a dead resolver costs
one thread and not one for each request. It tells no time to live; ours is a setting. When a new
look-up fails or is slow, what is known goes on being used: an address that worked a minute ago is a
better guess than none.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Thread
from time import monotonic

from steadyhand.http.addresses import Address, KnownAddresses
from steadyhand.http.failures import NameNotFound
from steadyhand.http.traffic import Traffic

Lookup = Callable[[str, int], Sequence[Address]]
"""Returns addresses of a host and port; may block; raises ``OSError`` if there are none."""

RETRY_S = 1.0
"""How long a failed look-up is not repeated."""

PATIENCE_S = 0.1
"""How long a caller that could use old addresses waits for new ones."""


def look_up(host: str, port: int) -> list[Address]:
    """Ask the system; blocks for as long as it takes.

    Raises:
        OSError: There are none, or nobody could say.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [Address(family, place) for family, _, _, _, place in found]


def literal(host: str, port: int) -> list[Address]:
    """Return ``host`` if it is an address itself, else nothing; asks nobody."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return []
    return [Address(family, place) for family, _, _, _, place in found]


class Resolver:
    """Addresses of one name. Belongs to one event loop."""

    def __init__(
        self, host: str, port: int, ttl_s: float, traffic: Traffic, lookup: Lookup = look_up
    ) -> None:
        """Look nothing up yet."""
        self._host = host
        self._port = port
        self._traffic = traffic
        self._lookup = lookup
        self._known = KnownAddresses(ttl_s, RETRY_S)
        self._known.found(literal(host, port), monotonic())
        self._is_literal = bool(self._known.addresses)
        if not self._is_literal:
            self._known.all_failed()
        self._failure = ""
        self._running: asyncio.Future[None] | None = None

    async def addresses(self) -> tuple[Address, ...]:
        """Return addresses in the order to try; waits for a look-up if it must.

        Raises:
            NameNotFound: There are none, and none were known.
        """
        known = self._known
        if not self._is_literal and monotonic() >= known.due_s:
            running = self._running or self._start()
            if not known.addresses:
                await asyncio.shield(running)
            elif not await _is_done_soon(running) or self._failure:
                self._traffic.lookups_outlived += 1
        if not known.addresses:
            raise NameNotFound(f"the name {self._host!r} was not found: {self._failure}")
        return known.addresses

    def failed(self, address: Address) -> None:
        """Try ``address`` last from now on."""
        self._known.failed(address)

    def all_failed(self) -> None:
        """Look the name up again before the next connection."""
        if not self._is_literal:
            self._known.all_failed()

    def _start(self) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        running = self._running = loop.create_future()
        self._traffic.lookups += 1

        def run() -> None:
            found: Sequence[Address] = ()
            failure = ""
            try:
                found = self._lookup(self._host, self._port)
            except (OSError, UnicodeError) as error:
                failure = str(error)
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(self._ended, found, failure)

        Thread(target=run, name=f"look up {self._host}", daemon=True).start()
        return running

    def _ended(self, found: Sequence[Address], failure: str) -> None:
        running, self._running = self._running, None
        self._failure = "" if found else failure or "no addresses"
        if found:
            self._known.found(found, monotonic())
        else:
            self._known.not_found(monotonic())
            self._traffic.lookups_failed += 1
        if running is not None and not running.done():
            running.set_result(None)


async def _is_done_soon(running: asyncio.Future[None]) -> bool:
    done, _ = await asyncio.wait([running], timeout=PATIENCE_S)
    return bool(done)
