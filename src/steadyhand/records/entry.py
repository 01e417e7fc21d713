"""An entry of the record log. Pure."""

from typing import NamedTuple

from steadyhand.records.record import Record


class Entry(NamedTuple):
    """One record of the log, with the bytes it was written as."""

    sequence: int
    record: Record
    payload: bytes
