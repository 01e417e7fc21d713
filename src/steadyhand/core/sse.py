"""Server-sent events, by bytes.

An event ends at a blank line; lines end in LF, CRLF or CR, and a chunk from the network may end
anywhere, within a line ending too. Never by ``splitlines``: U+2028 and U+0085 are text here.
Source: WHATWG HTML, section 9.2 (server-sent events), read 2026-11.
"""

import re

DONE = b"[DONE]"
_BLANK = re.compile(rb"(?>\r\n|\n|\r){2}")  # atomic: CRLF is one line ending, never two


class EventSplitter:
    """Cuts a byte stream into whole events; keeps what is not yet whole."""

    __slots__ = ("_limit", "_rest")

    def __init__(self, limit: int) -> None:
        """Refuse to hold more than ``limit`` bytes of an unfinished event."""
        self._rest = b""
        self._limit = limit

    @property
    def rest(self) -> bytes:
        """Bytes of an event that has not ended yet."""
        return self._rest

    def feed(self, data: bytes) -> list[bytes]:
        """Return the events that ``data`` completes, each with its blank line.

        Empty ``data`` says that nothing more comes. Only then is a CR at the very end a line
        ending of its own; before, it may be half of a CRLF.

        Raises:
            ValueError: An event is longer than the limit.
        """
        ended = not data
        if self._rest:
            data = self._rest + data
        if b"\r" not in data:
            events = data.split(b"\n\n")
            self._rest = events.pop()
            for index, event in enumerate(events):
                events[index] = event + b"\n\n"
        else:
            events = self._split_any(data, ended=ended)
        if len(self._rest) > self._limit:
            raise ValueError(f"an event is longer than {self._limit} bytes")
        return events

    def _split_any(self, data: bytes, *, ended: bool) -> list[bytes]:
        """Split where any of the three line endings makes a blank line."""
        events, start, size = [], 0, len(data)
        for match in _BLANK.finditer(data):
            if match.end() == size and data.endswith(b"\r") and not ended:
                break
            events.append(data[start : match.end()])
            start = match.end()
        self._rest = data[start:]
        return events


def payload(event: bytes) -> bytes | None:
    """Return the joined ``data`` of ``event``, or ``None`` if it carries none (a comment)."""
    is_one_line = event.endswith(b"\n\n") and event.count(b"\n") == 2 and b"\r" not in event
    if is_one_line and event.startswith(b"data: "):
        return event[6:-2]
    lines = []
    for line in event.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"):
        if line.startswith(b"data:"):
            lines.append(line[6:] if line.startswith(b"data: ") else line[5:])
        elif line == b"data":
            lines.append(b"")
    return b"\n".join(lines) if lines else None


def event(data: bytes) -> bytes:
    """Write one event that carries ``data``; a line feed in it starts another ``data`` line."""
    return b"data: %b\n\n" % data.replace(b"\n", b"\ndata: ")
