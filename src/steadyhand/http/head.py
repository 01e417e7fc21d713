"""Heads of messages as bytes: status lines, the date, header lines.

Everything that does not depend on the request is prepared: a head is one formatting and one join.
"""

from collections.abc import Iterable
from email.utils import formatdate
from http import HTTPStatus
from itertools import chain
from time import monotonic, time

from steadyhand.http.messages import Header, Headers

BODILESS = frozenset({204, 304})
"""Statuses whose responses have no body, whatever the handler passes."""

_LINE = b"%b: %b\r\n"
_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}


def header_lines(headers: Headers) -> bytes:
    """Return the fields as lines, each with its line end.

    Raises:
        ValueError: A name or value holds a line break, which would let it write further fields.
    """
    fields = tuple(chain.from_iterable(headers))
    text = b"".join(fields)
    if b"\n" in text or b"\r" in text:
        raise ValueError("a header field holds a line break")
    return (_LINE * len(headers)) % fields


def status_line(status: int) -> bytes:
    """Return the status line of an HTTP/1.1 response, with its line end."""
    return b"HTTP/1.1 %d %b\r\n" % (status, _REASONS.get(status, b"Unknown"))


class DatedStatus:
    """Status line and ``Date`` field by status, made once a second and used by all replies."""

    __slots__ = ("_made", "_until_s")

    def __init__(self) -> None:
        """Start empty; the first use makes the date."""
        self._made: dict[int, bytes] = {}
        self._until_s = 0.0

    def __call__(self, status: int) -> bytes:
        """Return the first two lines of a response begun now."""
        if monotonic() >= self._until_s:
            now_s = time()
            self._until_s = monotonic() + 1.0 - now_s % 1.0
            self._made.clear()
        made = self._made.get(status)
        if made is None:
            date = formatdate(usegmt=True).encode()
            made = self._made[status] = b"%bdate: %b\r\n" % (status_line(status), date)
        return made


def fields_by_name(fields: Iterable[Header]) -> dict[bytes, bytes]:
    """Return the fields by lower-case name; repeated ones are joined with ``", "``."""
    headers: dict[bytes, bytes] = {}
    for name, value in fields:
        name, value = name.lower(), value.strip()
        headers[name] = headers[name] + b", " + value if name in headers else value
    return headers
