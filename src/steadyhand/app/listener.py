"""How requests reach a gateway: by a listener of its own, or by a server that it is mounted in."""

import ssl
from typing import Protocol

from steadyhand.gateway.handler import Gateway
from steadyhand.http.asgi import AsgiServer
from steadyhand.http.limits import ServerLimits
from steadyhand.http.server import Server


class ServerCounters(Protocol):
    """What a server counts; see :class:`steadyhand.http.server.Server`."""

    requests: int
    in_flight: int
    bad_requests: int
    timeouts: int
    refused_connections: int
    disconnects: int
    failures: int

    @property
    def connections(self) -> int:
        """Client connections open now; mounted, requests in hand."""
        ...


class Listener(Protocol):
    """Takes requests to a gateway."""

    async def open(self, gateway: Gateway) -> ServerCounters:
        """Begin to answer.

        Raises:
            OSError: The address cannot be bound.
        """
        ...

    async def close(self, drain_s: float) -> None:
        """Take no more; requests in hand may end within ``drain_s`` seconds."""
        ...


class NativeListener:
    """Our own server on a port, shared with the other gateway processes."""

    def __init__(
        self, host: str, port: int, limits: ServerLimits, tls: ssl.SSLContext | None
    ) -> None:
        """Take the address and what is accepted; nothing listens yet."""
        self._host = host
        self._port = port
        self._limits = limits
        self._tls = tls

    async def open(self, gateway: Gateway) -> ServerCounters:
        """See :class:`Listener`."""
        self._server = await Server.start(
            gateway.handle,
            self._host,
            self._port,
            self._limits,
            gateway.refusal,
            tls=self._tls,
            reuse_port=True,
        )
        return self._server

    async def close(self, drain_s: float) -> None:
        """See :class:`Listener`."""
        await self._server.close(drain_s)


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

    async def close(self, drain_s: float) -> None:
        """See :class:`Listener`."""
        server, self.server = self.server, None
        if server is not None:
            await server.close(drain_s)
