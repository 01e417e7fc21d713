"""How far a consumer has read one writer's log."""

from typing import NamedTuple


class Cursor(NamedTuple):
    """A place in one writer's log; everything up to it has been taken.

    Attributes:
        segment: Number of the segment; 0 before the first.
        offset: Bytes of that segment already taken.
        sequence: The last sequence taken; 0 for none. The truth: segment and offset only save
            reading again, and frames at or below this sequence are never taken twice.
    """

    segment: int = 0
    offset: int = 0
    sequence: int = 0


START = Cursor()
