"""Which records are wanted, and how a list of them is cut into pages. Plain values, no SQL."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from typing_extensions import override

from steadyhand.core.errors import InvalidValue
from steadyhand.records.record import Record


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Which records are wanted; ``None`` leaves a field open, all others must hold.

    Attributes:
        wire_not: All but this wire, as lists leave drills out.
        request_id: The start of the id, or all of it.
        since_us: Received at this time or later, microseconds since 1970.
        until_us: Received before this time.
    """

    tenant: str | None = None
    key: str | None = None
    route: str | None = None
    outcome: str | None = None
    reason: str | None = None
    rung: str | None = None
    provider: str | None = None
    model: str | None = None
    status: int | None = None
    wire: str | None = None
    wire_not: str | None = None
    request_id: str | None = None
    since_us: int | None = None
    until_us: int | None = None


EVERYTHING = RecordFilter()


class StoredRecord(NamedTuple):
    """A record, and where it came from."""

    writer: str
    sequence: int
    record: Record


class Page(NamedTuple):
    """Some records, newest first.

    Attributes:
        records: At most as many as were asked for.
        before: What to pass to get the older ones; ``None`` if there are none.
    """

    records: tuple[StoredRecord, ...]
    before: str | None


_POSITION = re.compile(r"(\d{1,18})\.([a-z0-9-]{1,64})\.(\d{1,18})", re.ASCII)


class Position(NamedTuple):
    """A place in the list of all records, which is ordered by these three, newest first."""

    received_us: int
    writer: str
    sequence: int

    @override
    def __str__(self) -> str:
        return f"{self.received_us}.{self.writer}.{self.sequence}"


def position_of(stored: StoredRecord) -> Position:
    """Return where ``stored`` stands."""
    return Position(stored.record.received_us, stored.writer, stored.sequence)


def parse_position(text: str) -> Position:
    """Read a :class:`Position` back from its text.

    Raises:
        InvalidValue: It is not one.
    """
    found = _POSITION.fullmatch(text)
    if found is None:
        raise InvalidValue(
            f"before={text!r} is not a place in the list",
            hint="pass the `before` of the previous page, unchanged",
            param="before",
        )
    received_us, writer, sequence = found.groups()
    return Position(int(received_us), writer, int(sequence))
