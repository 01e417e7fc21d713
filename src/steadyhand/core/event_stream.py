"""Reading server-sent events of our own making, line by line. Pure.

Source: HTML Living Standard, 9.2 (server-sent events), read 2026-11; the part that we send: one
``data`` line for each event.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Sent(NamedTuple):
    """An event as it was sent.

    Attributes:
        number: Its id, 0 if it has none.
        kind: Its type.
        data: Its data, as it stands.
    """

    number: int
    kind: str
    data: str


def read_events(lines: Iterable[bytes]) -> Iterator[Sent]:
    """Yield the events in ``lines``; comments and what is not known are passed over.

    Raises:
        ValueError: An id is no number, or a line is not UTF-8.
    """
    number, kind = 0, ""
    for line in lines:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name == "id":
            number = int(value)
        elif name == "event":
            kind = value
        elif name == "data":
            yield Sent(number, kind, value)
