"""How requests reach a gateway: by a listener of its own, or by a server that it is mounted in."""

import socket
import ssl
from typing import NamedTuple, Protocol

from steadyhand.gateway.handler import CHAT, Gateway
from steadyhand.http.asgi import AsgiServer
from steadyhand.http.limits import ServerLimits
from steadyhand.http.overload import OverloadLimits
from steadyhand.http.server import Server


class ServerCounters(Protocol):
    """What a server counts; see :class:`steadyhand.http.server.Server`."""

    requests: int
    in_flight: int
    refused: dict[str, int]
    disconnects: int
    failures: int
    write_pauses: int

    @property
    def overload_lag(self) -> int:
        """Requests refused because the loop could not keep up."""
        ...

    @property
    def overload_in_flight(self) -> int:
        """Requests refused because so many were being answered."""
        ...

    @property
    def connections(self) -> int:
        """Client connections open now; mounted, requests in hand."""
        ...


class Ended(NamedTuple):
    """What became of the requests that were in hand when a listener closed."""

    finished: int
    cut: int


class Listener(Protocol):
    """Takes requests to a gateway."""

    async def open(self, gateway: Gateway) -> ServerCounters:
        """Begin to answer.

        Raises:
            OSError: The address cannot be bound.
        """
        ...

    async def close(self, drain_s: float, parting_s: float) -> Ended:
        """Take no more; requests in hand may end within ``drain_s`` seconds.

        Kept connections stay open for one more request for ``parting_s``.
        """
        ...


class NativeListener:
    """Our own server on a socket that listens already."""

    def __init__(
        self,
        listener: socket.socket,
        limits: ServerLimits,
        overload: OverloadLimits,
        tls: ssl.SSLContext | None,
    ) -> None:
        """Take the socket and what is accepted; nobody is accepted yet."""
        self._listener = listener
        self._limits = limits
        self._overload = overload
        self._tls = tls

    async def open(self, gateway: Gateway) -> ServerCounters:
        """See :class:`Listener`."""
        self._server = await Server.start(
            gateway.handle,
            "",
            0,
            self._limits,
            gateway.refusal,
            tls=self._tls,
            listener=self._listener,
        )
        self._server.shed(self._overload, (b"POST " + CHAT,))
        return self._server

    async def close(self, drain_s: float, parting_s: float) -> Ended:
        """See :class:`Listener`."""
        await self._server.close(drain_s, parting_s)
        return Ended(self._server.drained, self._server.cut)


class MountedListener:
    """No port: requests come from the server of another application, over ASGI.

    Attributes:
        server: What answers them; ``None`` unless the gateway runs.
    """

    def __init__(self, limits: ServerLimits) -> None:
        """Take what is accepted; nothing is answered yet."""
        self.server: AsgiServer | None = None
        self._limits = limits

    async def open(self, gateway: Gateway) -> ServerCounters:
        """See :class:`Listener`."""
        self.server = AsgiServer(gateway.handle, self._limits, gateway.refusal)
        return self.server

    async def close(self, drain_s: float, parting_s: float) -> Ended:
        """See :class:`Listener`; what became of requests is counted by the host's server."""
        server, self.server = self.server, None
        if server is not None:
            await server.close(drain_s)
        return Ended(finished=0, cut=0)
