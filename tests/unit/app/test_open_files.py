"""What a limit on open files leaves for clients."""

import resource

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.app.open_files import (
    RESERVED,
    bounded_clients,
    client_bound,
    is_exhausted,
    open_files,
    raise_limit,
)


@given(st.integers(1, 100_000), st.integers(0, 2_000_000))
def test_a_provider_socket_is_kept_for_each_client(wanted: int, files: int) -> None:
    bound = client_bound(wanted, files)
    assert 1 <= bound <= wanted
    assert bound == 1 or 2 * bound + RESERVED <= files


def test_a_high_limit_changes_nothing() -> None:
    assert client_bound(16_384, 65_536) == 16_384
    assert client_bound(16_384, 1_024) == (1_024 - RESERVED) // 2


def test_the_limit_is_raised_and_a_low_one_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, hard), hard))
        assert bounded_clients(16_384) == (open_files() - RESERVED) // 2
        assert "client connections instead of" in caplog.text
        raise_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert not is_exhausted()
