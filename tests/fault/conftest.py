"""Installations that a test may break: one for each module, or one of the test's own."""

from collections.abc import Iterator

import pytest

from tests.support.installations import Installation, installation, route_text

QUICK = """
[slo.quick]
first_content_ms = 1000
whole_ms = 1000
stream_cap_ms = 30000
"""
"""A class whose budget a test can wait for."""


@pytest.fixture
def own_house(tmp_path_factory: pytest.TempPathFactory, dead_port: int) -> Iterator[Installation]:
    """An installation that the test may leave in ruins."""
    files = {"routes/floored.toml": route_text("up/steady")}
    with installation(tmp_path_factory.mktemp("own"), dead_port, files) as made:
        yield made
