"""Kept connections to one origin: last in, first out; callers wait first in, first out.

Connections are opened by tasks of the pool, not by the callers: as many at once as there are
callers waiting, within ``max_connecting`` and ``max_connections``. A caller takes whatever is there
first, a connection that comes back or one that has come to stand; and one that gives up while its
connection is being opened leaves it to those after it. A place (of ``max_connections``) belongs to
a connection from before it is opened until it is cut.
"""

import asyncio
import ssl
from math import inf
from time import monotonic

from steadyhand.http.dial import Dialer
from steadyhand.http.failures import (
    ConnectFailed,
    ConnectionLost,
    ConnectTimedOut,
    GaveUp,
    PoolExhausted,
    TotalTimedOut,
    UpstreamError,
)
from steadyhand.http.limits import PoolLimits
from steadyhand.http.line import Line
from steadyhand.http.messages import Headers, Limits
from steadyhand.http.native_endpoint import NativeEndpoint
from steadyhand.http.native_reply import NativeReply
from steadyhand.http.origin import Origin
from steadyhand.http.outbox import Outbox
from steadyhand.http.resolver import Lookup, Resolver, look_up
from steadyhand.http.tls import client_context
from steadyhand.http.traffic import Traffic
from steadyhand.http.upstream import StaleConnection, UpstreamConnection

_CLOSE_S = 2.0


class Pool:
    """Sends requests to one origin over kept connections. Belongs to one event loop.

    Implements :class:`steadyhand.http.transport.Transport`.

    Attributes:
        origin: Where requests go.
        limits: How many connections, and what they may hold.
        outbox: Where connections put the requests they send.
        traffic: What is counted, perhaps together with other pools.
    """

    __slots__ = (
        "_closed", "_connect_s", "_connecting", "_dialer", "_dials", "_idle", "_line", "_live",
        "_places", "_vacant", "limits", "origin", "outbox", "traffic",
    )  # fmt: skip

    def __init__(
        self,
        origin: Origin,
        limits: PoolLimits,
        tls: ssl.SSLContext | None = None,
        traffic: Traffic | None = None,
        lookup: Lookup = look_up,
    ) -> None:
        """Open nothing yet; an https origin without ``tls`` is verified by the system's CAs."""
        self.origin = origin
        self.limits = limits
        self.outbox = Outbox()
        self.traffic = traffic or Traffic()
        if origin.scheme != "https":
            tls = None
        elif tls is None:
            tls = client_context()
        resolver = Resolver(origin.host, origin.port, limits.dns_ttl_s, self.traffic, lookup)
        self._dialer = Dialer(origin, tls, resolver, self.traffic)
        self._idle: dict[UpstreamConnection, None] = {}
        self._live: set[UpstreamConnection] = set()
        self._places = self._connecting = 0
        self._connect_s = inf  # of the last caller; each provider has one
        self._dials: set[asyncio.Task[None]] = set()
        self._line = Line(self.put_back)
        self._closed = False
        self._vacant = asyncio.Event()

    @property
    def idle(self) -> int:
        """Connections kept without a request."""
        return len(self._idle)

    @property
    def busy(self) -> int:
        """Connections that carry an exchange or are being opened."""
        return self._places - len(self._idle)

    @property
    def waiting(self) -> int:
        """Callers that wait for a connection now."""
        return len(self._line)

    def endpoint(
        self, method: bytes, path: bytes, headers: Headers, *, replayable: bool
    ) -> NativeEndpoint:
        """See :class:`steadyhand.http.transport.Transport`."""
        return NativeEndpoint(self, method, path, headers, replayable=replayable)

    async def send(
        self, head: bytes, body: bytes, limits: Limits, *, replayable: bool = True
    ) -> NativeReply:
        """Send one request and return its response once its head is there.

        Args:
            head: Whole request head, see :func:`steadyhand.http.origin.request_head`.
            body: As long as the head says.
            limits: Times of this exchange. While waiting for a connection, ``connect_s`` counts.
            replayable: A kept connection that was closed before anything came back is no failure:
                the request is sent once more, on a fresh one.

        Raises:
            UpstreamError: Which of them says what happened.
        """
        begun_s = monotonic()
        if self._idle:
            connection, _ = self._idle.popitem()
            if not connection.is_silent():
                connection = await self._instead_of(connection, limits, begun_s)
        else:
            connection = await self._acquire(limits, begun_s)
        if connection.is_kept:
            self.traffic.reused += 1
        while True:
            try:
                await connection.begin(head, body, limits, begun_s)
                connection.answered()
                response = connection.response
                return NativeReply(connection, response.status, response.headers)
            except StaleConnection:  # at most once: a fresh connection cannot be stale
                if not replayable:
                    raise
                self.traffic.retried += 1
            except BaseException:
                connection.abort()
                raise
            connection = await self._wait(limits, begun_s, is_first=True, wants_fresh=True)

    async def close(self) -> None:
        """Cut every connection, fail whoever waits for one, and wait for the sockets to close."""
        self._closed = True
        self._line.refuse_all(self._is_closed())
        for task in tuple(self._dials):
            task.cancel()
        for connection in tuple(self._live):
            connection.fail(ConnectionLost(f"the pool of {self.origin!r} is closed"))
        try:
            async with asyncio.timeout(_CLOSE_S):
                await asyncio.gather(*self._dials, return_exceptions=True)
                while self._live:
                    self._vacant.clear()
                    await self._vacant.wait()
        except TimeoutError:
            return

    def put_back(self, connection: UpstreamConnection) -> None:
        """Take a connection that is free: its exchange is over, or it has just come to stand."""
        if connection.closed:
            return
        if self._line and self._hand(connection):
            return
        if self._closed or len(self._idle) >= self.limits.max_idle:
            connection.abort()
        else:
            connection.is_kept = True
            self._idle[connection] = None

    def forget(self, connection: UpstreamConnection) -> None:
        """Free the place of a connection that is being cut; called by the connection."""
        if connection in self._live:
            self._idle.pop(connection, None)
            self._places -= 1
            self._open_more()

    def lost(self, connection: UpstreamConnection) -> None:
        """Note that a socket is closed; called by the connection."""
        if connection in self._live:
            self._live.remove(connection)
            self.traffic.open -= 1
            self._vacant.set()

    def _hand(self, connection: UpstreamConnection) -> bool:
        """Give a free connection to a caller that waits; tell whether that is done."""
        if connection.is_kept and self._line.wants_fresh and not self._connecting:
            connection.abort()  # its place goes to the fresh one that has had its turn
            return True
        return self._line.hand(connection)

    async def _acquire(self, limits: Limits, begun_s: float) -> UpstreamConnection:
        connection = await self._wait(limits, begun_s, is_first=False, wants_fresh=False)
        if connection.is_kept and not connection.is_silent():
            return await self._instead_of(connection, limits, begun_s)
        return connection

    async def _instead_of(
        self, stale: UpstreamConnection, limits: Limits, begun_s: float
    ) -> UpstreamConnection:
        """Return another connection: a kept one as long as there are any, else a fresh one."""
        self.traffic.stale_probed += 1
        stale.abort()
        while self._idle:
            connection, _ = self._idle.popitem()
            if connection.is_silent():
                return connection
            self.traffic.stale_probed += 1
            connection.abort()
        return await self._wait(limits, begun_s, is_first=True, wants_fresh=True)

    async def _wait(
        self, limits: Limits, begun_s: float, *, is_first: bool, wants_fresh: bool
    ) -> UpstreamConnection:
        """Stand in line for a connection, and see to it that one is opened if there is room."""
        if self._closed:
            raise self._is_closed()
        due_s, late = _earliest(limits, monotonic(), begun_s)

        def why_late(before: int) -> UpstreamError:
            self.traffic.given_up += 1
            most = self.limits.max_connections
            if self._places >= most and before >= self._connecting:
                return PoolExhausted(f"all {most} connections to {self.origin!r} stayed busy")
            return late(f"no connection to {self.origin!r} in time")

        waiter = self._line.join(due_s, why_late, is_first=is_first, wants_fresh=wants_fresh)
        self._connect_s = limits.connect_s
        self._open_more()
        self.traffic.waiting += 1
        try:
            return await self._line.wait(waiter)
        finally:
            self.traffic.waiting -= 1

    def _open_more(self) -> None:
        """Open connections for those that wait, as far as the bounds allow."""
        limits, loop = self.limits, asyncio.get_running_loop()
        while (
            self._connecting < len(self._line)
            and self._connecting < limits.max_connecting
            and self._places < limits.max_connections
        ):
            self._places += 1
            self._connecting += 1
            task = loop.create_task(self._open())
            self._dials.add(task)
            task.add_done_callback(self._dials.discard)

    async def _open(self) -> None:
        """Open one connection and give it to whoever has waited longest; or tell them why not."""
        loop = asyncio.get_running_loop()
        connection: UpstreamConnection | None = None
        failure: UpstreamError = ConnectFailed(f"connecting to {self.origin!r} was broken off")
        try:
            connection = await self._dialer.connect(
                lambda: UpstreamConnection(self, loop), self._connect_s
            )
        except UpstreamError as error:
            failure = error
        finally:
            self._connecting -= 1
            self._stands(connection, failure)
        self._open_more()

    def _stands(self, connection: UpstreamConnection | None, failure: UpstreamError) -> None:
        """Take what an attempt to open a connection led to."""
        if connection is not None and not connection.closed:
            self._live.add(connection)
            self.traffic.opened += 1
            self.traffic.open += 1
            self.put_back(connection)
            return
        if connection is not None:
            self.traffic.connect_failed += 1
            failure = ConnectFailed(f"{self.origin!r} closed as soon as the connection stood")
        self._places -= 1
        self._line.refuse(failure)

    def _is_closed(self) -> ConnectFailed:
        return ConnectFailed(f"the pool of {self.origin!r} is closed")


def _earliest(limits: Limits, now_s: float, begun_s: float) -> tuple[float, type[UpstreamError]]:
    """Return when a caller that starts to wait now has waited enough, and the failure it is."""
    due: list[tuple[float, type[UpstreamError]]] = [
        (limits.give_up_at_s, GaveUp),
        (now_s + limits.connect_s, ConnectTimedOut),
        (begun_s + limits.total_s, TotalTimedOut),
    ]
    return min(due, key=lambda pair: pair[0])
