"""What the outbox is to hold. Pure."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from steadyhand.records.annotation import Annotation
from steadyhand.records.entry import Entry, Note
from steadyhand.records.record import Record


def nothing(_: Record | Annotation) -> bool:
    """Want nothing."""
    return False


class Told(NamedTuple):
    """What is told outside.

    Attributes:
        wants: Whether a record is.
        wants_note: Whether an annotation is.
    """

    wants: Callable[[Record], bool] = nothing
    wants_note: Callable[[Annotation], bool] = nothing

    def of(self, found: Sequence[Entry | Note]) -> list[tuple[int, bool]]:
        """Return sequence, and whether it is an annotation, of what is told."""
        if self.wants is nothing and self.wants_note is nothing:
            return []
        return [
            (each.sequence, isinstance(each, Note))
            for each in found
            if (
                self.wants(each.record)
                if isinstance(each, Entry)
                else self.wants_note(each.annotation)
            )
        ]


NOBODY = Told()
