"""Chance without state: each draw is a hash of what it is for.

A draw depends on the key (seed, request, call number) and its label only, never on what was drawn
before, so a script stays the same when another part of it changes.
"""

from hashlib import blake2b
from statistics import NormalDist

_NORMAL = NormalDist()


class Draws:
    """The chance in one request."""

    __slots__ = ("key",)

    def __init__(self, seed: int, call: int, body: bytes) -> None:
        """Fix every draw that can be made."""
        self.key = blake2b(b"%d %d " % (seed, call) + body, digest_size=16)

    def token(self, label: str) -> str:
        """Return 24 hexadecimal digits."""
        return self._hash(label).hexdigest()[:24]

    def uniform(self, label: str) -> float:
        """Return a number above 0 and below 1."""
        return (int.from_bytes(self._hash(label).digest()[:6], "big") + 0.5) / 2.0**48

    def normal(self, label: str) -> float:
        """Return a number from the standard normal distribution."""
        return _NORMAL.inv_cdf(self.uniform(label))

    def _hash(self, label: str) -> blake2b:
        derived = self.key.copy()
        derived.update(label.encode())
        return derived
