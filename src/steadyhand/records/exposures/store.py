"""Write what rollouts have to know of requests, in the transaction that stores their records."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from steadyhand.records.annotation import GROUNDING, Grounding, body_of
from steadyhand.records.entry import Entry, Note
from steadyhand.records.exposures.model import exposure_of, exposure_of_sample
from steadyhand.records.tables import exposure_numbers, exposures

_COLUMNS = tuple(column.name for column in exposures.columns)
_INSERT = f"INSERT INTO exposures VALUES ({','.join('?' * len(_COLUMNS))})"  # noqa: S608 - no input


def expose(connection: sa.Connection, writer: str, entries: Sequence[Entry]) -> None:
    """Store the exposures among ``entries`` under the next numbers.

    The row of the numbers stays locked until the transaction ends, so that numbers become visible
    in their order, whoever else ships at the same time.
    """
    _store(
        connection,
        [
            (writer, entry.sequence, *exposure)
            for entry in entries
            if entry.record.rollout and (exposure := exposure_of(entry.record)) is not None
        ],
    )


def expose_samples(connection: sa.Connection, writer: str, notes: Sequence[Note]) -> None:
    """Store what sampled answers were found to be, as :func:`expose` does their requests."""
    found = []
    for note in notes:
        body = body_of(note.annotation) if note.annotation.kind == GROUNDING else None
        exposure = exposure_of_sample(body) if isinstance(body, Grounding) else None
        if exposure is not None:
            found.append((writer, note.sequence, *exposure))
    _store(connection, found)


def _store(connection: sa.Connection, found: Sequence[tuple[Any, ...]]) -> None:
    if not found:
        return
    moved = {"next": exposure_numbers.c.next + len(found)}
    connection.execute(sa.update(exposure_numbers).values(moved))
    after = connection.execute(sa.select(exposure_numbers.c.next)).scalar_one()
    first = after - len(found)
    rows = [(first + place, *row) for place, row in enumerate(found)]
    if connection.dialect.paramstyle == "qmark":  # the driver's own call is twice as fast
        connection.exec_driver_sql(_INSERT, rows)
    else:
        named = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
        connection.execute(sa.insert(exposures), named)
