"""Identifiers that sort by time and are unique across processes without coordination."""

from collections.abc import Callable

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case


def base32(value: int, width: int) -> str:
    """Write ``value`` in Crockford base 32, zero-padded to ``width`` digits."""
    digits = []
    for _ in range(width):
        digits.append(ALPHABET[value & 31])
        value >>= 5
    return "".join(reversed(digits))


class RequestIds:
    """Makes request ids for one process: time, writer, counter; all sort in order of making.

    ``req_`` + 8 base-32 digits of seconds since 1970 + 7 hexadecimal digits of a counter + 8
    base-32 digits of this process's random tag. The counter wraps after 33 million ids.
    """

    def __init__(self, tag: int, clock_s: Callable[[], float]) -> None:
        """Take 40 random bits for this process and a wall clock in seconds."""
        self._tag = base32(tag, 8)
        self._clock_s = clock_s
        self._count = 0
        self._second = -1
        self._prefix = ""

    def next(self) -> str:
        """Return a new id."""
        second = int(self._clock_s())
        if second != self._second:
            self._second = second
            self._prefix = f"req_{base32(second, 8)}"
        self._count = count = (self._count + 1) & 0x1FFFFFF
        return f"{self._prefix}{count:07x}{self._tag}"
