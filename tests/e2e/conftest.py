"""One served clone for all pages."""

from collections.abc import Iterator

import pytest

from tests.support.clone import Clone


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    clone = Clone(tmp_path_factory.mktemp("clone"))
    with clone.served():
        yield clone
