"""A sealed entry opens where it was sealed for, and nowhere else."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.caching.entry import HEAD_BYTES, VERSION, Entry, Keys, open_sealed, seal
from steadyhand.core.chat import Usage

KEYS = Keys.derive(b"s" * 32)
HERE, THERE = b"a" * 32, b"b" * 32
ENTRY = Entry(
    "Run VACUUM.", 1_790_000_000_000_000, "stop", "m-1", "p/m", Usage(12, 3, Usage.Prompt(4))
)


def test_it_opens_as_it_was() -> None:
    opened = open_sealed(seal(ENTRY, HERE, KEYS), HERE, KEYS)
    assert opened == ENTRY


@given(st.text(), st.integers(min_value=0, max_value=2**62))
def test_any_text_comes_back(text: str, made_us: int) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    entry = Entry(text, made_us)
    assert open_sealed(seal(entry, HERE, KEYS), HERE, KEYS) == entry


def test_another_address_is_poison() -> None:
    assert open_sealed(seal(ENTRY, HERE, KEYS), THERE, KEYS) == "poisoned"


def test_another_installations_entry_is_poison() -> None:
    assert open_sealed(seal(ENTRY, HERE, Keys.derive(b"t" * 32)), HERE, KEYS) == "poisoned"


@pytest.mark.parametrize("at", range(1, HEAD_BYTES + 8))
def test_one_changed_bit_is_poison(at: int) -> None:
    sealed = bytearray(seal(ENTRY, HERE, KEYS))
    sealed[at] ^= 1
    assert open_sealed(bytes(sealed), HERE, KEYS) == "poisoned"


@pytest.mark.parametrize("sealed", [b"", b"\x02" + b"x" * 40, b"garbage"])
def test_what_another_version_wrote_is_not_read(sealed: bytes) -> None:
    assert open_sealed(sealed, HERE, KEYS) == "version"


@pytest.mark.parametrize("length", range(1, HEAD_BYTES + 2))
def test_a_cut_entry_is_poison(length: int) -> None:
    assert open_sealed(seal(ENTRY, HERE, KEYS)[:length], HERE, KEYS) == "poisoned"


def test_an_entry_of_another_shape_is_of_another_version() -> None:
    whole = seal(Entry("x", 1), HERE, KEYS)
    assert whole.startswith(VERSION)
    from steadyhand.caching.entry import _mac

    content = msgspec.msgpack.encode(["x"])
    assert open_sealed(VERSION + _mac(HERE, content, KEYS) + content, HERE, KEYS) == "version"


def test_the_two_secrets_differ_and_neither_is_the_first() -> None:
    assert len({KEYS.address, KEYS.seal, b"s" * 32}) == 3
