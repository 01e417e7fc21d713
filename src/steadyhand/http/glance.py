"""What can be told of a request without parsing it. Pure.

Refusing must be cheap: a parsed request has cost a fifth of an answered one already. So a request
that is refused is looked at only to see where it ends. That is done for the plainest requests
alone, where no two servers could disagree about the end; whatever else is left to the parser.
"""

_NAME = b"\ncontent-length:"
_UNSURE = (b"\n ", b"\n\t", b"\x00", b"transfer", b"expect", b"upgrade", b"close")
"""Folded lines, other framing, other wishes: not ours to judge, wherever they stand."""
_MOST_KNOWN = 512


class Glance:
    """Looks at requests; remembers heads, which clients repeat."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        """Know nothing yet."""
        self._known: dict[bytes, int] = {}

    def is_whole(self, data: bytes) -> bool:
        """Tell whether ``data`` is exactly one request of HTTP/1.1 that keeps its connection.

        ``data`` begins with the request line. ``False`` means "perhaps not".
        """
        end = data.find(b"\r\n\r\n") + 4
        if end < 4:
            return False
        head = data[:end]
        length = self._known.get(head)
        if length is None:
            length = body_length(head)
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[head] = length
        return length >= 0 and len(data) == end + length


def body_length(head: bytes) -> int:
    """Return what a whole ``head`` says of its body's length, or -1 if that is not plain."""
    head = head.lower()
    lines = head.count(b"\r\n")
    if head.count(b"\r") != lines or head.count(b"\n") != lines:
        return -1
    if not head.startswith(b" http/1.1\r\n", head.find(b"\r\n") - 9):
        return -1
    at = head.find(_NAME)
    if at < 0 or head.count(b"content-length") != 1 or any(word in head for word in _UNSURE):
        return -1
    value = head[at + len(_NAME) : head.find(b"\r", at)].strip(b" \t")
    return int(value) if value.isdigit() and len(value) <= 12 else -1
