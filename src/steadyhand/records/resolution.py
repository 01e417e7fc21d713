"""Which entries of a log are records, which wait, and which have had their place taken. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from steadyhand.records.entry import Entry

INTENT = "interrupted"
"""Outcome of an entry that was written before its answer began."""


class Resolution(NamedTuple):
    """What becomes of a run of entries.

    Attributes:
        records: To be stored, in order.
        intents: To be kept until something supersedes them, or their writer has ended.
        gone: Sequences of earlier runs that are superseded now.
        superseded: How many of this run are.
    """

    records: list[Entry]
    intents: list[Entry]
    gone: list[int]
    superseded: int


def resolve(entries: Sequence[Entry]) -> Resolution:
    """Sort out entries of one writer, in order, of which all earlier ones were sorted out before.

    An entry may supersede one that supersedes another: only the last of them counts.
    """
    replaced = {entry.record.supersedes for entry in entries} - {0}
    if not replaced and all(entry.record.outcome != INTENT for entry in entries):
        return Resolution(list(entries), [], [], 0)
    valid = [entry for entry in entries if entry.sequence not in replaced]
    here = {entry.sequence for entry in entries}
    return Resolution(
        records=[entry for entry in valid if entry.record.outcome != INTENT],
        intents=[entry for entry in valid if entry.record.outcome == INTENT],
        gone=sorted(replaced - here),
        superseded=len(entries) - len(valid),
    )
