from hashlib import sha256

import pytest

from steadyhand.knowledge.packed import (
    MAGIC,
    CollectionDamaged,
    digest_of,
    entry_at,
    pack,
    unpack,
)
from tests.support.curated import entry

ENTRIES = [
    entry("a", "How do I lock a table?", tenants=["acme"], locale="en", expires_day=9),
    entry("b", "Why is it slow?", answer="# Indexes\n\nUse one."),
]
DIGEST = digest_of(ENTRIES)
FILE = pack(ENTRIES)


def load(content: bytes, digest: str = DIGEST) -> object:
    return unpack(content, digest, lambda: None)


def test_what_was_packed_comes_back() -> None:
    breaths: list[int] = []
    index = unpack(FILE, DIGEST, lambda: breaths.append(1))
    assert [entry_at(index, number) for number in range(len(index))] == ENTRIES
    assert breaths


def test_the_same_answers_make_the_same_file_under_the_same_name() -> None:
    assert pack(list(ENTRIES)) == FILE
    assert digest_of(ENTRIES[:1]) != DIGEST


def test_a_change_of_words_weights_or_layout_raises_the_scheme() -> None:
    """If this fails and nothing is wrong, raise SCHEME in packed.py and write the new sum here."""
    assert sha256(FILE[len(MAGIC) + 32 :]).hexdigest()[:16] == "04f69a81e6ee9355"


@pytest.mark.parametrize("length", [0, 5, 20, 45, len(FILE) // 2, len(FILE) - 1])
def test_a_cut_file_is_refused(length: int) -> None:
    with pytest.raises(CollectionDamaged):
        load(FILE[:length])


@pytest.mark.parametrize("at", [0, 7, 9, 45, len(FILE) // 2, len(FILE) - 1])
def test_a_changed_byte_is_refused(at: int) -> None:
    with pytest.raises(CollectionDamaged):
        load(FILE[:at] + bytes([FILE[at] ^ 1]) + FILE[at + 1 :])


def test_the_file_of_other_answers_is_refused() -> None:
    with pytest.raises(CollectionDamaged, match="other answers"):
        load(FILE, digest_of(ENTRIES[:1]))
