"""The listener of the native server: start, counters, drain."""

import asyncio
import ssl
from collections.abc import Callable

from steadyhand.http.connection import ServerConnection
from steadyhand.http.head import DatedStatus
from steadyhand.http.limits import ServerLimits
from steadyhand.http.messages import Handler, Headers
from steadyhand.http.outbox import Outbox

RenderError = Callable[[int, str, str], tuple[Headers, bytes]]
"""Makes headers and body of an error that the server answers itself: status, code, message."""


class Server:
    """Serves HTTP/1.0 and HTTP/1.1 on one socket; start it with :meth:`start`.

    Attributes:
        handler: Answers requests, each in a task of its own.
        limits: What is accepted.
        render_error: Makes the body of what the server refuses (400, 408, 413, 415, 431, 503) and
            of a handler's failure (500).
        outbox: Where connections put what they write.
        closing: Set while draining; replies then say ``Connection: close``.
        requests: Whole requests received.
        in_flight: Handlers running now.
        bad_requests: Requests refused before a handler saw them.
        timeouts: Requests that came too slowly (408).
        refused_connections: Connections over ``max_connections`` (503).
        disconnects: Clients that left before their answer had ended.
        failures: Handlers that raised or did not answer (500, or a broken connection).
    """

    __slots__ = (
        "_tails", "_vacant", "bad_requests", "closing", "dated_status", "disconnects", "failures",
        "handler", "in_flight", "limits", "listener", "open_connections", "outbox",
        "refused_connections",
        "render_error", "requests", "timeouts",
    )  # fmt: skip

    listener: asyncio.Server

    def __init__(self, handler: Handler, limits: ServerLimits, render_error: RenderError) -> None:
        """Prepare; nothing listens yet."""
        self.handler = handler
        self.limits = limits
        self.render_error = render_error
        self.dated_status = DatedStatus()
        self.outbox = Outbox()
        self.open_connections: set[ServerConnection] = set()
        self.closing = False
        self.requests = self.in_flight = self.bad_requests = self.timeouts = 0
        self.refused_connections = self.disconnects = self.failures = 0
        self._tails: set[asyncio.Task[None]] = set()
        self._vacant = asyncio.Event()

    @classmethod
    async def start(
        cls,
        handler: Handler,
        host: str,
        port: int,
        limits: ServerLimits,
        render_error: RenderError,
        *,
        tls: ssl.SSLContext | None = None,
        reuse_port: bool = False,
    ) -> "Server":
        """Listen on ``host`` and ``port`` (0 lets the system choose) and serve.

        Raises:
            OSError: The address cannot be bound.
        """
        server = cls(handler, limits, render_error)
        loop = asyncio.get_running_loop()
        server.listener = await loop.create_server(
            lambda: ServerConnection(server, loop),
            host,
            port,
            backlog=limits.backlog,
            ssl=tls,
            ssl_handshake_timeout=limits.head_timeout_s if tls else None,
            reuse_port=reuse_port,
        )
        return server

    @property
    def port(self) -> int:
        """Port that is listened on."""
        return int(self.listener.sockets[0].getsockname()[1])

    @property
    def connections(self) -> int:
        """Client connections open now."""
        return len(self.open_connections)

    async def close(self, drain_s: float) -> None:
        """Stop accepting, let requests in flight end, then cancel what is left.

        Idle connections close at once; the others after their current reply, which says so if
        its head was not yet written. After ``drain_s`` seconds the handlers still running are
        cancelled and their connections broken.
        """
        self.closing = True
        self.listener.close()
        for connection in tuple(self.open_connections):
            connection.close_if_idle()
        if not await self._vacated(drain_s):
            for connection in tuple(self.open_connections):
                connection.cancel()
            for task in self._tails:
                task.cancel()
            await self._vacated(self.limits.linger_s)

    def forget(self, connection: ServerConnection) -> None:
        """Drop a connection that was lost; called by the connection."""
        self.open_connections.discard(connection)
        self._vacant.set()

    def keep_until_done(self, task: asyncio.Task[None]) -> None:
        """Hold a handler that still works although its reply has ended."""
        self._tails.add(task)
        task.add_done_callback(self._let_go)

    def _let_go(self, task: asyncio.Task[None]) -> None:
        self._tails.discard(task)
        self._vacant.set()

    async def _vacated(self, within_s: float) -> bool:
        """Wait until no connection is open and no handler runs."""
        try:
            async with asyncio.timeout(within_s):
                while self.open_connections or self._tails:
                    self._vacant.clear()
                    await self._vacant.wait()
        except TimeoutError:
            return False
        return True
