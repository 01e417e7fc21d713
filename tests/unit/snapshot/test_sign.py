from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.snapshot.sign import (
    SigningKeyUnusable,
    SnapshotForged,
    SnapshotRefused,
    SnapshotTorn,
    open_key,
    sign,
    verify,
)

KEY = bytes(range(32))
BODY = b'{"version": 1}\n with a line break'


def test_what_was_signed_is_verified() -> None:
    assert verify(sign(BODY, KEY), KEY) == BODY


@pytest.mark.parametrize("at", range(len(sign(BODY, KEY))))
def test_flipping_any_one_bit_is_refused(at: int) -> None:
    for bit in range(8):
        signed = bytearray(sign(BODY, KEY))
        signed[at] ^= 1 << bit
        with pytest.raises(SnapshotRefused):
            verify(bytes(signed), KEY)


@given(st.binary(max_size=200), st.integers(0, 300))
def test_a_file_cut_anywhere_is_torn_or_forged(body: bytes, length: int) -> None:
    signed = sign(body, KEY)
    if length < len(signed):
        with pytest.raises(SnapshotRefused):
            verify(signed[:length], KEY)


def test_a_cut_body_is_called_torn_and_a_wrong_key_forged() -> None:
    with pytest.raises(SnapshotTorn):
        verify(sign(BODY, KEY)[:-1], KEY)
    with pytest.raises(SnapshotTorn):
        verify(b"", KEY)
    with pytest.raises(SnapshotForged):
        verify(sign(BODY, KEY), bytes(32))


def test_a_key_is_made_once_and_only_for_this_user(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.key"
    key = open_key(path)
    assert len(key) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert open_key(path) == key
    assert list(tmp_path.iterdir()) == [path]


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.key"
    open_key(path)
    path.chmod(0o640)
    with pytest.raises(SigningKeyUnusable, match="can be read by other users"):
        open_key(path)


def test_a_key_of_another_length_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.key"
    path.write_bytes(b"short")
    path.chmod(0o600)
    with pytest.raises(SigningKeyUnusable, match="5 bytes"):
        open_key(path)
