"""The capacity benchmark weighs real records, connections and streams."""

from collections.abc import Iterator

import pytest

from benchmarks.capacity import disk, held
from benchmarks.machine import usable_cores
from benchmarks.running import mock_upstream
from benchmarks.targets import PATH


@pytest.fixture(scope="module")
def upstream() -> Iterator[tuple[str, int]]:
    with mock_upstream(usable_cores()[-1]) as (address, pid):
        yield address + PATH, pid


def test_a_record_takes_disk_in_the_log_and_in_sql() -> None:
    in_log, in_sql = disk(500)
    assert 100 < in_log < 2_000
    assert in_log < in_sql < 5_000


@pytest.mark.parametrize("streams", [False, True])
async def test_connections_are_weighed_while_they_stand(
    upstream: tuple[str, int], *, streams: bool
) -> None:
    url, pid = upstream
    assert 0 <= await held(url, pid, 20, streams=streams) < 1_000
