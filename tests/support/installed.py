"""Fixtures: one installation for the whole session, which tests share and must not break."""

import socket
from collections.abc import Iterator

import pytest

from tests.support.canned_upstream import CannedUpstream, canned_upstream
from tests.support.installations import (
    Installation,
    SimulatedUpstream,
    Upstreams,
    route_text,
    serving,
    simulated_upstream,
)

FAILING = (
    *("error-400", "error-500", "error-200", "html-200", "malformed-json"),
    *("cut-mid-word", "cut-mid-tool-call"),
)

ROUTES = {
    # What the shared installation needs beside `provider/model`: ladders of more than one rung,
    # floors other than an error, and budgets that are meant to run out.
    **{
        f"routes/then-{first}.toml": route_text(f"up/{first}", "up/steady:answer=second")
        for first in FAILING
    },
    "routes/recorded.toml": route_text("up/error-500:tokens=6", "up/steady:answer=second"),
    "routes/floored.toml": route_text("up/error-500"),
    "routes/floored-once.toml": route_text("up/error-500:tokens=8"),
    "routes/then-silence.toml": route_text("up/error-503", "up/slow:ttft_ms=60000"),
    "routes/patient-floor.toml": route_text("up/silent-before-headers"),
    "routes/endless.toml": route_text("up/endless", slo="capped"),
}


@pytest.fixture(scope="session")
def dead_port() -> Iterator[int]:
    """A port that refuses every connection, and that nobody can take meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedUpstream]:
    """A simulated provider on a port; whoever breaks it for every model starts another."""
    with simulated_upstream(tmp_path_factory.mktemp("simulated")) as made:
        yield made


@pytest.fixture(scope="session")
def canned() -> Iterator[CannedUpstream]:
    """An upstream that plays the tests' own scripts."""
    with canned_upstream() as made:
        yield made


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, upstreams: Upstreams) -> Iterator[Installation]:
    """The shared installation: requests only; whoever changes or kills makes one of their own."""
    with serving(tmp_path_factory.mktemp("house"), upstreams, ROUTES) as made:
        yield made


@pytest.fixture(scope="session")
def upstreams(simulated: SimulatedUpstream, canned: CannedUpstream, dead_port: int) -> Upstreams:
    """Everything that the shared installations call."""
    return Upstreams(simulated, canned, dead_port)
