"""Fixtures: one installation for the whole session, which tests share and must not break."""

import socket
from collections.abc import Iterator

import pytest

from tests.support.installations import Installation, installation, route_text

FAILING = ("error-400", "error-500", "error-200", "html-200", "malformed-json")

ROUTES = {
    # What the shared installation needs beside `provider/model`: ladders of more than one rung,
    # floors other than an error, and budgets that are meant to run out.
    **{
        f"routes/then-{first}.toml": route_text(f"up/{first}", "up/steady:answer=second")
        for first in FAILING
    },
    "routes/floored.toml": route_text("up/error-500"),
    "routes/endless.toml": route_text("up/endless", slo="capped"),
}


@pytest.fixture(scope="session")
def dead_port() -> Iterator[int]:
    """A port that refuses every connection, and that nobody can take meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, dead_port: int) -> Iterator[Installation]:
    """The shared installation: requests only; whoever changes or kills makes one of their own."""
    with installation(tmp_path_factory.mktemp("house"), dead_port, ROUTES) as made:
        yield made
