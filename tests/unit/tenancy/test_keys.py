import hashlib
import re

from steadyhand.tenancy.keys import hash_key, make_key


def test_a_key_is_recognisable_and_carries_256_bits() -> None:
    token, _ = make_key()
    assert re.fullmatch(r"sk-sh-[A-Za-z0-9_-]{43}", token)


def test_the_hash_is_sha256_of_the_whole_token() -> None:
    token, digest = make_key()
    assert digest == hash_key(token.encode()) == hashlib.sha256(token.encode()).hexdigest()


def test_no_two_keys_are_alike() -> None:
    assert len({make_key()[0] for _ in range(1_000)}) == 1_000
