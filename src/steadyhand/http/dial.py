"""Open a connection: to the first of a name's addresses that lets us.

Addresses are tried in order, the next one as soon as one fails or has been silent for a moment, and
the first that stands wins (RFC 8305). TLS is spoken on the winner only; where that fails, the
addresses that are left are tried. A certificate that is not valid ends it at once: another machine
under the same name is no reason to go on.
"""

import asyncio
import errno
import socket
import ssl
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from math import inf
from pathlib import Path
from typing import TypeVar

from steadyhand.http.addresses import Address
from steadyhand.http.failures import (
    ConnectFailed,
    ConnectTimedOut,
    NameNotFound,
    OutOfFiles,
    TlsFailed,
)
from steadyhand.http.origin import Origin
from steadyhand.http.resolver import Resolver
from steadyhand.http.socket_path import short_path
from steadyhand.http.traffic import Traffic

STAGGER_S = 0.25
"""How long an attempt may be silent before the next address is tried beside it."""

Protocol = TypeVar("Protocol", bound=asyncio.Protocol)


class Dialer:
    """Opens connections to one origin."""

    def __init__(
        self, origin: Origin, tls: ssl.SSLContext | None, resolver: Resolver, traffic: Traffic
    ) -> None:
        """Open nothing yet."""
        self._origin = origin
        self._tls = tls
        self._resolver = resolver
        self._traffic = traffic

    async def connect(self, factory: Callable[[], Protocol], connect_s: float) -> Protocol:
        """Return what ``factory`` made for the connection that stands.

        Raises:
            ConnectTimedOut: ``connect_s`` passed before.
            ConnectFailed: Which kind of it says what failed: name, socket or TLS.
        """
        traffic = self._traffic
        traffic.opening += 1
        try:
            async with asyncio.timeout(None if connect_s == inf else connect_s):
                return await self._connect(factory)
        except TimeoutError:
            traffic.connect_timed_out += 1
            raise ConnectTimedOut(f"no connection to {self._origin!r} in time") from None
        except NameNotFound:
            traffic.dns_failed += 1
            raise
        except TlsFailed:
            traffic.tls_failed += 1
            raise
        except ConnectFailed:
            traffic.connect_failed += 1
            raise
        finally:
            traffic.opening -= 1

    async def _connect(self, factory: Callable[[], Protocol]) -> Protocol:
        if self._origin.socket_path is not None:
            return await self._at_socket(self._origin.socket_path, factory)
        left = list(await self._resolver.addresses())
        while True:
            address, connected = await self._first_of(left)
            try:
                return await self._speak(connected, factory)
            except ssl.SSLCertVerificationError as error:
                raise TlsFailed(f"{self._origin!r} is not to be trusted: {error}") from error
            except (OSError, UnicodeError) as error:
                left.remove(address)
                self._resolver.failed(address)
                if not left:
                    self._resolver.all_failed()
                    raise TlsFailed(f"no TLS with {self._origin!r}: {error}") from error

    async def _at_socket(self, place: Path, factory: Callable[[], Protocol]) -> Protocol:
        loop = asyncio.get_running_loop()
        try:
            with short_path(place) as name:
                _, protocol = await loop.create_unix_connection(factory, name)
        except OSError as error:
            raise ConnectFailed(f"nobody answers at {place.name}: {error}") from error
        return protocol

    async def _first_of(self, addresses: Sequence[Address]) -> tuple[Address, socket.socket]:
        try:
            return await race(addresses, connect_socket, self._resolver.failed)
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):  # no fault of the address
                raise OutOfFiles(f"cannot connect to {self._origin!r}: {error}") from error
            self._resolver.all_failed()
            raise ConnectFailed(f"cannot connect to {self._origin!r}: {error}") from error

    async def _speak(self, connected: socket.socket, factory: Callable[[], Protocol]) -> Protocol:
        loop = asyncio.get_running_loop()
        try:
            _, protocol = await loop.create_connection(
                factory,
                sock=connected,
                ssl=self._tls,
                server_hostname=self._origin.host if self._tls else None,
            )
        except BaseException:
            connected.close()
            raise
        return protocol


async def connect_socket(address: Address) -> socket.socket:
    """Return a connected socket.

    Raises:
        OSError: It was refused, or there is no way there.
    """
    made = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)  # noqa: FBT003 - not ours to name
        await asyncio.get_running_loop().sock_connect(made, address.place)
    except BaseException:
        made.close()
        raise
    return made


async def race(
    addresses: Sequence[Address],
    connect: Callable[[Address], Awaitable[socket.socket]],
    failed: Callable[[Address], None],
    stagger_s: float = STAGGER_S,
) -> tuple[Address, socket.socket]:
    """Return the first socket that stands, and its address; the others are closed.

    ``failed`` is called for each address that failed, or was silent until another one stood.

    Raises:
        OSError: Of the last address to fail.
    """
    if len(addresses) == 1:
        return addresses[0], await connect(addresses[0])
    waiting = deque(addresses)
    running: dict[asyncio.Task[socket.socket], Address] = {}
    last = OSError("no address to connect to")
    try:
        while waiting or running:
            if waiting:
                address = waiting.popleft()
                running[asyncio.create_task(_task(connect(address)))] = address
            done, _ = await asyncio.wait(
                running, timeout=stagger_s if waiting else None, return_when="FIRST_COMPLETED"
            )
            for task in done:
                address = running.pop(task)
                error = _failure(task)
                failed_ones = running.values() if error is None else (address,)
                for tried in failed_ones:
                    failed(tried)
                if error is None:
                    return address, task.result()
                last = error
        raise last
    finally:
        for task in running:
            _abandon(task)


def _failure(task: asyncio.Task[socket.socket]) -> OSError | None:
    """Return how an attempt failed, or ``None``; what is no failure of the network is raised."""
    error = task.exception()
    if error is None or isinstance(error, OSError):
        return error
    raise error


async def _task(awaitable: Awaitable[socket.socket]) -> socket.socket:
    return await awaitable


def _abandon(task: asyncio.Task[socket.socket]) -> None:
    """Stop an attempt that lost; close its socket if it stood in the same moment."""
    task.cancel()
    task.add_done_callback(_close)


def _close(task: asyncio.Task[socket.socket]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()
