"""Every carrier of the transport port, towards scripted upstreams."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from steadyhand.http.aiohttp_transport import AiohttpTransport
from steadyhand.http.limits import PoolLimits
from steadyhand.http.messages import Headers, Limits, UpstreamReply
from steadyhand.http.origin import Origin
from steadyhand.http.pool import Pool
from steadyhand.http.traffic import Traffic
from steadyhand.http.transport import Transport
from steadyhand.http.transports import Proxy
from tests.support.wire import within

OWN, AIOHTTP = "own client", "aiohttp"
CARRIERS = (OWN, AIOHTTP)


@dataclass(frozen=True)
class Caller:
    """A transport, what it has counted, and short ways to use it."""

    name: str
    transport: Transport
    traffic: Traffic

    async def send(
        self,
        body: bytes = b"",
        limits: Limits | None = None,
        *,
        path: bytes = b"/p",
        headers: Headers = (),
        replayable: bool = True,
    ) -> UpstreamReply:
        """Send one request."""
        common = ((b"content-type", b"text/plain"),)
        endpoint = self.transport.endpoint(b"POST", path, common, replayable=replayable)
        return await endpoint.send(headers, body, limits or within())

    async def ask(
        self,
        body: bytes = b"",
        limits: Limits | None = None,
        *,
        most: int = 50_000_000,
        replayable: bool = True,
    ) -> bytes:
        """Send one request and return the whole body of its answer."""
        reply = await self.send(body, limits, replayable=replayable)
        try:
            return await reply.read_all(most)
        finally:
            reply.close()


@asynccontextmanager
async def caller(
    name: str,
    port: int,
    limits: PoolLimits | None = None,
    *,
    host: str = "",
    tls: ssl.SSLContext | None = None,
    proxy: Proxy | None = None,
    path: str = "",
) -> AsyncIterator[Caller]:
    """Open a transport to a port of this machine."""
    scheme = "https" if tls else "http"
    host = host or ("localhost" if tls else "127.0.0.1")
    origin = Origin.parse(f"{scheme}://{host}:{port}{path}")
    bounds, traffic = limits or PoolLimits(), Traffic()
    made: Transport
    if name == OWN:
        assert proxy is None
        made = Pool(origin, bounds, tls, traffic)
    else:
        made = AiohttpTransport(origin, bounds, tls, traffic, proxy)
    try:
        yield Caller(name, made, traffic)
    finally:
        await made.close()
