"""Every carrier of the server port, each on a real socket: our own server, and ours over ASGI."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from typing_extensions import override

from steadyhand.app.listener import ServerCounters
from steadyhand.http.asgi import AsgiServer
from steadyhand.http.limits import ServerLimits
from steadyhand.http.messages import Handler
from steadyhand.http.server import Server
from steadyhand.http.tls import server_context
from tests.support.certificates import Pem
from tests.support.wire import eventually, render_error

OWN, UVICORN, MOUNTED = "own server", "uvicorn", "mounted in Starlette"
CARRIERS = (OWN, UVICORN, MOUNTED)


@dataclass(frozen=True)
class Carrier:
    """A handler that is being served.

    Attributes:
        prefix: What paths begin with; the handler does not see it.
        counters: Of whichever server it is.
    """

    name: str
    port: int
    prefix: bytes
    counters: ServerCounters
    server: Server | AsgiServer

    @property
    def is_own(self) -> bool:
        return self.name == OWN

    def request(self, method: bytes, path: bytes, fields: bytes = b"") -> bytes:
        """Return a request head; ``fields`` are whole lines."""
        line = b"%b %b%b HTTP/1.1\r\nHost: h\r\n" % (method, self.prefix, path)
        return line + fields + b"\r\n"


@asynccontextmanager
async def carried(
    name: str, handler: Handler, limits: ServerLimits | None = None, tls: Pem | None = None
) -> AsyncIterator[Carrier]:
    """Serve ``handler`` on a free port until the block ends."""
    bounds = limits or ServerLimits()
    if name == OWN:
        context = server_context(tls.certificate, tls.key) if tls else None
        server = await Server.start(handler, "127.0.0.1", 0, bounds, render_error, tls=context)
        try:
            yield Carrier(name, server.port, b"", server, server)
        finally:
            await server.close(drain_s=0.2)
        return
    application = AsgiServer(handler, bounds, render_error)
    served: Any = application
    prefix = b""
    if name == MOUNTED:
        served = Starlette(routes=[Mount("/llm", application)])
        prefix = b"/llm"
    async with under_uvicorn(served, tls) as port:
        yield Carrier(name, port, prefix, application, application)


class PromptServer(uvicorn.Server):
    """Uvicorn that stops when told, not at its next tick; signals are the test runner's."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stop = asyncio.Event()

    @contextmanager
    @override
    def capture_signals(self) -> Iterator[None]:
        yield

    @override
    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.stop.wait()


@asynccontextmanager
async def under_uvicorn(
    application: Any, tls: Pem | None = None, *, lives: bool = False
) -> AsyncIterator[int]:
    """Run an ASGI application under uvicorn in this loop; the port. ``lives``: with lifespan."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        application,
        log_config=None,
        ws="none",
        lifespan="on" if lives else "off",
        timeout_graceful_shutdown=1,
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
    )
    server = PromptServer(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    await eventually(lambda: server.started or task.done())
    try:
        yield listener.getsockname()[1]
    finally:
        server.stop.set()
        await task
        listener.close()
