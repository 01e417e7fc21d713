"""Simulated providers for tests: on a socket, in process, and calls to make on either."""

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import inf
from pathlib import Path
from typing import Any

from steadyhand.http.messages import Limits
from steadyhand.http.traffic import Traffic
from steadyhand.providers.base import Call, ProviderPorts
from steadyhand.simulation.dials import Dials
from steadyhand.simulation.server import SimulatorServer
from steadyhand.simulation.simulator import Simulator


@asynccontextmanager
async def simulator_server(
    dials: Dials | None = None, seed: int = 0
) -> AsyncIterator[tuple[SimulatorServer, str]]:
    """Serve a simulator on a free loopback port; yields it and its URL."""
    server = SimulatorServer(Simulator(seed, dials or Dials(), time.time))
    port = await server.start("127.0.0.1", 0)
    try:
        yield server, f"http://127.0.0.1:{port}"
    finally:
        await server.stop()


def chat_body(**fields: Any) -> bytes:
    """Return a chat request for one question, with further fields."""
    question = [{"role": "user", "content": "How do I create an index?"}]
    return json.dumps({"model": "route", "messages": question, **fields}).encode()


def call(model: str, *, stream: bool = False, **fields: Any) -> Call:
    """Return the call that a gateway would make of ``model``."""
    body = chat_body(stream=stream, **fields)
    return Call(body=body, model=model, stream=stream, asks_usage=False)


def limits(
    connect_s: float = 5,
    first_byte_s: float = 5,
    idle_s: float = 5,
    total_s: float = 10,
    give_up_at_s: float = inf,
) -> Limits:
    """Return generous limits, but for those that are named."""
    return Limits(connect_s, first_byte_s, idle_s, total_s, give_up_at_s)


def no_secret(reference: str) -> str:
    """Resolve nothing: the provider under test must not ask."""
    raise AssertionError(f"asked for {reference}")


def ports(
    resolve_secret: Callable[[str], str] = no_secret, workspace: Path | None = None
) -> ProviderPorts:
    """Return ports for one provider under test."""
    return ProviderPorts(resolve_secret, workspace or Path(), Traffic())
