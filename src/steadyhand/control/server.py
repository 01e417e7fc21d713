"""Run an ASGI application under uvicorn inside a process that owns its own signals and log."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override

DRAIN_S = 5


class _QuietServer(uvicorn.Server):
    """Uvicorn without its signal handlers: the process that runs it decides when to stop."""

    @contextlib.contextmanager
    @override
    def capture_signals(self) -> Iterator[None]:
        yield


class ControlServer:
    """Serves one application on one socket until told to stop."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        """Take an application and a socket that already listens; the server closes the socket."""
        self._listener = listener
        self._server = _QuietServer(
            uvicorn.Config(
                app,
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # nobody stands before us; a forged header must mean nothing
                timeout_graceful_shutdown=DRAIN_S,
            )
        )

    async def run(self) -> None:
        """Serve until :meth:`stop`; then let requests under way finish, for ``DRAIN_S`` at most."""
        serving = asyncio.ensure_future(self._server.serve(sockets=[self._listener]))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            self.stop()
            await serving
            raise

    def stop(self) -> None:
        """Ask :meth:`run` to end."""
        self._server.should_exit = True
