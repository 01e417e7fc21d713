"""A simulated provider as a real HTTP server, so that faults cross a socket."""

import asyncio

from steadyhand.simulation.connection import Connection
from steadyhand.simulation.endpoints import Endpoints
from steadyhand.simulation.seen import Log
from steadyhand.simulation.simulator import Simulator


class SimulatorServer:
    """Serves one simulator on one port.

    ``POST /v1/chat/completions`` and ``GET /v1/models`` are the provider; ``GET`` and ``POST
    /simulate`` show and change how it behaves; ``GET /simulate/requests`` shows what reached it,
    credentials included, so it listens on loopback unless told otherwise.

    Attributes:
        log: Totals and the latest requests.
    """

    def __init__(self, simulator: Simulator) -> None:
        """Serve ``simulator``; nothing listens before ``start``."""
        self.simulator = simulator
        self.log = Log()
        self._open: set[Connection] = set()
        self._endpoints = Endpoints(simulator, self.log)
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; return the port, chosen by the system if ``port`` is 0."""
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self.simulator, self._endpoints, self.log, self._open), host, port
        )
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Stop listening and hang up on everybody."""
        if self._server is not None:
            self._server.close()
            for connection in tuple(self._open):
                connection.stop()
            await self._server.wait_closed()
