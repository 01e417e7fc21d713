"""The fake engine, installed for the whole session of these tests."""

from collections.abc import Iterator

import pytest

from tests.support.local_models import install_fake_engine


@pytest.fixture(scope="module", autouse=True)
def fake_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Put it where plugins are looked for."""
    with pytest.MonkeyPatch.context() as patch:
        install_fake_engine(tmp_path_factory.mktemp("engine"), patch)
        yield
