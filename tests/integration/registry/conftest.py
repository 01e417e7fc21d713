"""A registry of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from steadyhand.registry.git.store import GitStore, open_registry


@pytest.fixture
def store(tmp_path: Path) -> Iterator[GitStore]:
    """Return an empty registry on disk."""
    opened = open_registry(tmp_path / "registry.git", clock=lambda: 1_700_000_000.0)
    yield opened
    opened.close()
