import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.http.body import OversizedBody, UndecodableBody, gunzip

MIB = 1024 * 1024


@given(st.lists(st.binary(max_size=2_000), min_size=1, max_size=16))
def test_members_are_joined(parts: list[bytes]) -> None:
    body = b"".join(gzip.compress(part) for part in parts)
    assert gunzip(body, MIB, 100) == b"".join(parts)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        gzip.compress(b"x" * 1_000, mtime=0)[:-1],
        gzip.compress(b"x" * 1_000, mtime=0)[:20],
        gzip.compress(b"x", mtime=0) + b"{}",
        gzip.compress(b"", mtime=0) * 17,
    ],
)
def test_what_is_not_whole_gzip_is_refused(body: bytes) -> None:
    with pytest.raises(UndecodableBody):
        gunzip(body, MIB, 100)


def test_a_body_at_the_bound_passes_and_one_byte_more_does_not() -> None:
    assert len(gunzip(gzip.compress(bytes(1_000)), 1_000, 100)) == 1_000
    with pytest.raises(OversizedBody):
        gunzip(gzip.compress(bytes(1_001)), 1_000, 100)


def test_a_bomb_is_refused_by_its_ratio_long_before_the_bound() -> None:
    bomb = gzip.compress(bytes(8 * MIB))
    assert len(bomb) * 100 < 8 * MIB
    with pytest.raises(OversizedBody):
        gunzip(bomb, 32 * MIB, 100)


def test_a_bound_holds_over_members_together() -> None:
    with pytest.raises(OversizedBody):
        gunzip(gzip.compress(bytes(600)) * 2, 1_000, 100)
