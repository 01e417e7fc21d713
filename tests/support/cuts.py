"""Bytes as a network may deliver them: cut anywhere."""

from itertools import pairwise


def cut(wire: bytes, points: list[int]) -> list[bytes]:
    """Return ``wire`` cut at ``points`` (any numbers: they wrap), without empty pieces."""
    places = sorted({0, len(wire), *(point % (len(wire) + 1) for point in points)})
    return [wire[start:end] for start, end in pairwise(places)]
