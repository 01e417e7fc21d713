"""Installations that a test may break: one for each module, or one of the test's own."""

from collections.abc import Iterator

import pytest

from tests.support.installations import Installation, Upstreams, serving

QUICK = """
[slo.quick]
first_content_ms = 500
whole_ms = 500
stream_cap_ms = 30000
"""
"""A class whose budget a test can wait for."""


@pytest.fixture
def own_house(
    tmp_path_factory: pytest.TempPathFactory, upstreams: Upstreams
) -> Iterator[Installation]:
    """An installation that the test may leave in ruins."""
    with serving(tmp_path_factory.mktemp("own"), upstreams) as made:
        yield made


@pytest.fixture(scope="module")
def module_house(
    tmp_path_factory: pytest.TempPathFactory, upstreams: Upstreams
) -> Iterator[Installation]:
    """An installation that a module's tests may change, and leave able to answer."""
    with serving(tmp_path_factory.mktemp("module"), upstreams) as made:
        yield made
