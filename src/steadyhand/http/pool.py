"""Kept connections to one origin: last in, first out; callers wait first in, first out.

A place (of ``max_connections``) belongs to a connection from before it is opened until it is cut.
Whoever gives a connection or a place back hands it to the caller that has waited longest, so
nobody overtakes.
"""

import asyncio
import ssl
from collections import deque
from math import inf
from time import monotonic

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
from steadyhand.http.messages import Headers, Limits
from steadyhand.http.native_endpoint import NativeEndpoint
from steadyhand.http.native_reply import NativeReply
from steadyhand.http.origin import Origin
from steadyhand.http.outbox import Outbox
from steadyhand.http.tls import client_context
from steadyhand.http.traffic import Traffic
from steadyhand.http.upstream import StaleConnection, UpstreamConnection

_CLOSE_S = 2.0


class Pool:
    """Sends requests to one origin over kept connections. Belongs to one event loop.

    Attributes:
        origin: Where requests go.
        limits: How many connections, and what they may hold.
        outbox: Where connections put the requests they send.
        traffic: What is counted, perhaps together with other pools.
        waiting: Callers that wait for a connection now.
    """

    __slots__ = (
        "_closed", "_idle", "_live", "_places", "_tls", "_vacant", "_waiters",
        "limits", "origin", "outbox", "traffic", "waiting",
    )  # fmt: skip

    def __init__(
        self,
        origin: Origin,
        limits: PoolLimits,
        tls: ssl.SSLContext | None = None,
        traffic: Traffic | None = None,
    ) -> None:
        """Open nothing yet; an https origin without ``tls`` is verified by the system's CAs."""
        self.origin = origin
        self.limits = limits
        self.outbox = Outbox()
        self.traffic = traffic or Traffic()
        self.waiting = 0
        self._tls = (tls or client_context()) if origin.scheme == "https" else None
        self._idle: dict[UpstreamConnection, None] = {}
        self._live: set[UpstreamConnection] = set()
        self._places = 0
        self._waiters: deque[asyncio.Future[UpstreamConnection | None]] = deque()
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
        else:
            connection = await self._acquire(limits, begun_s)
        if connection.exchanges:
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
            connection = await self._acquire_fresh(limits, begun_s)

    async def close(self) -> None:
        """Cut every connection, fail whoever waits for one, and wait for the sockets to close."""
        self._closed = True
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(ConnectFailed(f"the pool of {self.origin!r} is closed"))
        for connection in tuple(self._live):
            connection.fail(ConnectionLost(f"the pool of {self.origin!r} is closed"))
        try:
            async with asyncio.timeout(_CLOSE_S):
                while self._live:
                    self._vacant.clear()
                    await self._vacant.wait()
        except TimeoutError:
            return

    def put_back(self, connection: UpstreamConnection) -> None:
        """Take a connection whose exchange is over; called by the connection."""
        if self._waiters and (waiter := self._next_waiter()) is not None:
            waiter.set_result(connection)
        elif self._closed or len(self._idle) >= self.limits.max_idle:
            connection.abort()
        else:
            self._idle[connection] = None

    def forget(self, connection: UpstreamConnection) -> None:
        """Free the place of a connection that is being cut; called by the connection."""
        self._idle.pop(connection, None)
        self._free_place()

    def lost(self, connection: UpstreamConnection) -> None:
        """Note that a socket is closed; called by the connection."""
        self._live.discard(connection)
        self._vacant.set()

    async def _acquire(self, limits: Limits, begun_s: float) -> UpstreamConnection:
        if self._closed:
            raise ConnectFailed(f"the pool of {self.origin!r} is closed")
        if self._places < self.limits.max_connections:
            self._places += 1
            return await self._open(limits, begun_s)
        connection = await self._wait_for_place(limits, begun_s, is_first=False)
        return connection or await self._open(limits, begun_s)

    async def _acquire_fresh(self, limits: Limits, begun_s: float) -> UpstreamConnection:
        """Open a connection, before the others that wait, as this caller has had its turn."""
        if self._places < self.limits.max_connections:
            self._places += 1
        else:
            kept = await self._wait_for_place(limits, begun_s, is_first=True)
            if kept is not None:
                self._places += 1  # the kept one's place, which aborting it frees, is ours
                kept.abort()
        return await self._open(limits, begun_s)

    async def _wait_for_place(
        self, limits: Limits, begun_s: float, *, is_first: bool
    ) -> UpstreamConnection | None:
        """Wait for a kept connection, or for the right to open one (``None``)."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[UpstreamConnection | None] = loop.create_future()
        if is_first:
            self._waiters.appendleft(waiter)
        else:
            self._waiters.append(waiter)
        due_s, _ = _earliest(limits, begun_s)
        self.waiting += 1
        try:
            async with asyncio.timeout_at(_on_loop_clock(loop, due_s)):
                return await self._granted(waiter)
        except TimeoutError:
            raise PoolExhausted(
                f"all {self.limits.max_connections} connections to {self.origin!r} stayed busy"
            ) from None
        finally:
            self.waiting -= 1

    async def _granted(
        self, waiter: "asyncio.Future[UpstreamConnection | None]"
    ) -> UpstreamConnection | None:
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                self._waiters.remove(waiter)
            else:  # granted in the same turn: it goes to the next in line
                connection = waiter.result()
                if connection is None:
                    self._free_place()
                elif not connection.closed:
                    self.put_back(connection)
            raise

    async def _open(self, limits: Limits, begun_s: float) -> UpstreamConnection:
        """Connect in a place that is already taken; gives it back on any failure."""
        loop = asyncio.get_running_loop()
        connection = UpstreamConnection(self, loop)
        due_s, failure = _earliest(limits, monotonic(), begun_s)
        bound = asyncio.timeout_at(_on_loop_clock(loop, due_s))
        try:
            async with bound:
                await loop.create_connection(
                    lambda: connection,
                    self.origin.host,
                    self.origin.port,
                    ssl=self._tls,
                    server_hostname=self.origin.host if self._tls else None,
                )
        except BaseException as error:
            connection.closed = True
            self._free_place()
            if bound.expired():
                raise failure(f"no connection to {self.origin!r} in time") from None
            if isinstance(error, OSError | UnicodeError):
                raise ConnectFailed(f"cannot connect to {self.origin!r}: {error}") from error
            raise
        self.traffic.opened += 1
        self._live.add(connection)
        return connection

    def _free_place(self) -> None:
        waiter = self._next_waiter()
        if waiter is not None:
            waiter.set_result(None)
        else:
            self._places -= 1

    def _next_waiter(self) -> "asyncio.Future[UpstreamConnection | None] | None":
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                return waiter
        return None


def _earliest(
    limits: Limits, now_s: float, begun_s: float | None = None
) -> tuple[float, type[UpstreamError]]:
    """Return when an attempt to connect that starts now must end, and the failure it would be."""
    started_s = now_s if begun_s is None else begun_s
    due: list[tuple[float, type[UpstreamError]]] = [
        (limits.give_up_at_s, GaveUp),
        (now_s + limits.connect_s, ConnectTimedOut),
        (started_s + limits.total_s, TotalTimedOut),
    ]
    return min(due, key=lambda pair: pair[0])


def _on_loop_clock(loop: asyncio.AbstractEventLoop, at_s: float) -> float | None:
    """Return a point of ``time.monotonic`` on the clock of the loop."""
    return None if at_s == inf else loop.time() + at_s - monotonic()
