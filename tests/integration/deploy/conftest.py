"""The image is built once, and the chart is rendered once, for all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.support.charts import Rendered, rendered
from tests.support.containers import Image, built_image
from tests.support.small_engine import may_run


@pytest.fixture(scope="package")
def image() -> Iterator[Image]:
    if not may_run():
        pytest.skip("neither root nor a kernel that lets users make namespaces")
    with built_image() as made:
        yield made


@pytest.fixture(scope="package")
def charts() -> dict[str, Rendered]:
    return rendered()
