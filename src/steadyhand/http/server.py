"""The listener of the native server: start, counters, drain."""

import asyncio
import socket
import ssl
from collections.abc import Collection
from functools import partial

from steadyhand.http.admission import Admission
from steadyhand.http.answering import RenderError
from steadyhand.http.clients import Clients
from steadyhand.http.connection import ServerConnection
from steadyhand.http.head import DatedStatus
from steadyhand.http.limits import ServerLimits
from steadyhand.http.messages import Handler
from steadyhand.http.outbox import Outbox
from steadyhand.http.overload import IN_FLIGHT, LOOP_LAG, OverloadLimits
from steadyhand.http.refusal import nothing_refused


class Server:
    """Serves HTTP/1.0 and HTTP/1.1 on one socket; start it with :meth:`start`.

    Attributes:
        handler: Answers requests, each in a task of its own.
        limits: What is accepted.
        render_error: Makes the body of what the server refuses (400, 408, 413, 415, 431, 503) and
            of a handler's failure (500).
        admission: Refuses requests when there are too many; ``None`` without such a bound.
        outbox: Where connections put what they write.
        closing: Set while draining; replies then say ``Connection: close``.
        requests: Whole requests received.
        in_flight: Handlers running now.
        clients: Who holds how many connections.
        refused: Requests and connections refused before a handler saw them, by code.
        disconnects: Clients that left before their answer had ended.
        failures: Handlers that raised or did not answer (500, or a broken connection).
        write_pauses: Times an answer had to wait for a client that took too little of it.
        parting_s: How long kept connections stay open while draining, see :meth:`close`.
        drained: Requests that ended by themselves while draining; known when it is over.
        cut: Requests that were told to end when the drain time was over.
    """

    __slots__ = (
        "_tails", "_vacant", "admission", "clients", "closing", "cut", "dated_status",
        "disconnects", "drained", "failures", "handler", "in_flight", "limits", "listener",
        "open_connections", "outbox", "parting_s", "refused", "render_error", "requests",
        "write_pauses",
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
        self.admission: Admission | None = None
        self.clients = Clients(limits)
        self.refused = nothing_refused()
        self.requests = self.in_flight = self.disconnects = self.failures = 0
        self.drained = self.cut = self.write_pauses = 0
        self.parting_s = 0.0
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
        listener: socket.socket | None = None,
    ) -> "Server":
        """Listen on ``host`` and ``port`` (0 lets the system choose) and serve.

        A ``listener`` that is open already is taken instead of both.

        Raises:
            OSError: The address cannot be bound.
        """
        server = cls(handler, limits, render_error)
        loop = asyncio.get_running_loop()
        create = partial(
            loop.create_server,
            lambda: ServerConnection(server, loop),
            backlog=limits.backlog,
            ssl=tls,
            ssl_handshake_timeout=limits.head_timeout_s if tls else None,
        )
        if listener is not None:
            server.listener = await create(sock=listener)
        else:
            server.listener = await create(host, port, reuse_port=reuse_port)
        return server

    def shed(self, limits: OverloadLimits, sheddable: Collection[bytes]) -> None:
        """From now on refuse requests that begin with ``sheddable`` when there are too many."""
        self.admission = Admission(self, limits, sheddable)

    @property
    def overload_lag(self) -> int:
        """Requests refused because the loop could not keep up."""
        return self.admission.refused[LOOP_LAG] if self.admission is not None else 0

    @property
    def overload_in_flight(self) -> int:
        """Requests refused because so many were being answered."""
        return self.admission.refused[IN_FLIGHT] if self.admission is not None else 0

    @property
    def port(self) -> int:
        """Port that is listened on."""
        return int(self.listener.sockets[0].getsockname()[1])

    @property
    def connections(self) -> int:
        """Client connections open now."""
        return len(self.open_connections)

    async def close(self, drain_s: float, parting_s: float = 0.0) -> None:
        """Stop accepting, let requests in flight end, then cut what is left.

        Connections close after the answer that says so; idle ones at once, or after ``parting_s``:
        until then one more request is answered, which tells the client to go. After ``drain_s``
        seconds the handlers still running are cancelled with :data:`~.messages.CUT` and end their
        answers; what does not end then is broken.
        """
        self.closing = True
        if self.admission is not None:
            self.admission.stop()
        self.parting_s = parting_s
        begun = self.requests - self.in_flight
        self.listener.close()
        for connection in tuple(self.open_connections):
            connection.part()
        if not await self._vacated(drain_s):
            for connection in tuple(self.open_connections):
                self.cut += connection.cut_off()
            await self._vacated(self.limits.linger_s)
        self.drained = max(0, self.requests - begun - self.cut)
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
