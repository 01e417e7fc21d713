"""The gateway as an ASGI application: mounted in another one, or run by another server.

It is one gateway process without a port: the host application's process and event loop are its
own, and it starts no further process. It compiles the workspace at its start and on changes (in a
thread), answers requests, and writes the record log. Shipping records and the control API stay
with ``steadyhand serve control``, which runs beside it or later: until then records wait on disk.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path

from steadyhand.app.exclusion import alone, claim_for_mounted, claim_number
from steadyhand.app.gateway import GatewayProcess
from steadyhand.app.listener import MountedListener
from steadyhand.app.listener_limits import server_limits
from steadyhand.app.publish import Fingerprint, publish, republish
from steadyhand.app.state import State
from steadyhand.core.errors import NotRunning
from steadyhand.gateway import errors
from steadyhand.http.asgi_reply import AsgiReply
from steadyhand.http.asgi_request import Receive, Scope, Send
from steadyhand.settings.load import load
from steadyhand.settings.model import Settings
from steadyhand.snapshot import store

logger = logging.getLogger(__name__)

TICK_S = 0.5
_STALL_S = 10.0
_NOT_RUNNING = NotRunning(
    "the gateway is mounted but does not run",
    hint="start it with the application: lifespan=gateway.lifespan, or `async with "
    "gateway.running()` in the application's own lifespan",
)


class MountedGateway:
    """An ASGI application that answers the AI API below the path it is mounted at.

    A server runs the lifespan of the outermost application only. So one that mounts this must
    start it: ``Starlette(lifespan=gateway.lifespan)``, or ``async with gateway.running()`` within
    a lifespan of its own. Where this is the outermost application, nothing need be done.
    """

    def __init__(self, workspace: Path, flags: Mapping[str, object]) -> None:
        """Take the workspace and what overrides its file; nothing is read yet."""
        self._workspace = workspace
        self._flags = dict(flags)
        self._listener: MountedListener | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI scope."""
        kind = scope["type"]
        if kind == "lifespan":
            await self._live(receive, send)
        elif kind == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})  # refused: no such thing here
        else:
            server = self._listener.server if self._listener is not None else None
            if server is not None:
                await server(scope, receive, send)
            else:
                await _say_not_running(scope, send)

    def lifespan(self, application: object) -> AbstractAsyncContextManager[None]:
        """Return :meth:`running` in the form that Starlette and FastAPI take as ``lifespan``."""
        return self.running()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve while the block runs; then finish what is in hand and flush the records.

        Raises:
            SteadyhandError: The workspace has mistakes, or ``steadyhand serve`` runs on it.
        """
        settings = await asyncio.to_thread(load, self._workspace, os.environ, self._flags)
        state = State(settings)
        state.prepare()
        claim = claim_for_mounted(state)
        try:
            number, numbered = claim_number(state)
            try:
                async with self._serving(settings, number):
                    yield
            finally:
                numbered.release()
        finally:
            claim.release()

    @asynccontextmanager
    async def _serving(self, settings: Settings, number: int) -> AsyncIterator[None]:
        await asyncio.to_thread(_publish_first, settings, number)
        process = await asyncio.to_thread(GatewayProcess, settings, number)
        listener = MountedListener(server_limits(settings))
        await process.start(listener)
        self._listener = listener
        watch = Watch(self._workspace, self._flags, State(settings), publishes=number == 0)
        watching = asyncio.create_task(watch.run(process), name="workspace watch")
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            await process.stop()

    async def _live(self, receive: Receive, send: Send) -> None:
        """Speak ASGI's lifespan protocol, for servers that run this application itself."""
        await receive()
        started = False
        try:
            async with self.running():
                await send({"type": "lifespan.startup.complete"})
                started = True
                await receive()
        except Exception as error:
            said = "shutdown" if started else "startup"
            await send({"type": f"lifespan.{said}.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.shutdown.complete"})


class Watch:
    """Takes over changes of the workspace while a mounted gateway runs."""

    def __init__(
        self, workspace: Path, flags: Mapping[str, object], state: State, *, publishes: bool
    ) -> None:
        """Remember the files as they are; of several gateways only one publishes."""
        self._workspace = workspace
        self._flags = flags
        self._lock = state.publish_lock
        self._current = state.snapshots / store.CURRENT
        self._changed = Fingerprint(workspace, self._current).changed if publishes else None
        self._seen = self._stamp()

    async def run(self, process: GatewayProcess) -> None:
        """Look twice a second until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            if await asyncio.to_thread(self._look):
                process.reload()

    def _look(self) -> bool:
        """Publish what has changed; return whether there is a new snapshot."""
        if self._changed is not None and self._changed():
            with alone(self._lock):
                republish(self._workspace, self._flags)
        stamp = self._stamp()
        is_new = stamp not in (None, self._seen)
        self._seen = stamp
        return is_new

    def _stamp(self) -> tuple[int, int] | None:
        try:
            status = self._current.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino


def _publish_first(settings: Settings, number: int) -> None:
    """Publish at a start: the first gateway always, another one only if there is nothing."""
    state = State(settings)
    with alone(state.publish_lock):
        if number == 0 or not (state.snapshots / store.CURRENT).exists():
            publish(settings)


async def _say_not_running(scope: Scope, send: Send) -> None:
    status, headers, body = errors.render(_NOT_RUNNING)
    reply = AsgiReply(0, bare=scope["method"] == "HEAD")
    reply.send(status, headers, body)
    await reply.carry(send, _STALL_S)
