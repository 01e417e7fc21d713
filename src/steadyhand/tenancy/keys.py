"""Make keys and hash them. A key is shown once, when it is made; only its hash is kept."""

import hashlib
import secrets

PREFIX = "sk-sh-"
"""Marks a token as ours, so that secret scanners and people recognise a leaked one."""

RANDOM_BYTES = 32


def make_key() -> tuple[str, str]:
    """Return a new token and its hash.

    Returns:
        The token, ``sk-sh-`` and 43 URL-safe characters that carry 256 random bits, and what
        :func:`hash_key` gives for it.
    """
    token = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    return token, hash_key(token.encode())


def hash_key(token: bytes) -> str:
    """Return SHA-256 of ``token`` in hex: 64 lower-case digits.

    A fast hash is right here. Slow, salted hashes protect passwords, which people choose and
    others can guess; a token of 256 random bits cannot be guessed at any speed, and a request
    cannot wait for a slow hash within its latency budget.

    Looking the result up in a dict need not take constant time: timing could only reveal how much
    of a *hash* matches, and nobody can shape a token to steer its SHA-256.
    """
    return hashlib.sha256(token).hexdigest()
