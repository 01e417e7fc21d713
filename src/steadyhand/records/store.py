"""Records in SQL: shipped in exactly once, listed newest first."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from steadyhand.core.errors import SteadyhandError
from steadyhand.records.annotation import Annotation
from steadyhand.records.clock import wall_clock_us
from steadyhand.records.cursor import START, Cursor
from steadyhand.records.entry import Entry, Note
from steadyhand.records.exposures.store import expose, expose_samples
from steadyhand.records.outbox.store import put
from steadyhand.records.outbox.told import NOBODY, Told
from steadyhand.records.record import Record
from steadyhand.records.resolution import resolve
from steadyhand.records.selection import (
    EVERYTHING,
    Page,
    RecordFilter,
    StoredRecord,
    parse_position,
    position_of,
)
from steadyhand.records.tables import (
    annotation_row,
    annotations,
    exposures,
    intents,
    records,
    shipments,
)
from steadyhand.storage.database import Database

_COLUMNS = tuple(column.name for column in records.columns)
_fields = attrgetter(*_COLUMNS[2:-1])
_decode = msgspec.msgpack.Decoder(Record).decode
_decode_annotation = msgspec.msgpack.Decoder(Annotation).decode
_NEWEST_FIRST = (records.c.received_us, records.c.writer, records.c.sequence)
MOST_VALUES = 500
"""Of one statement; databases bound it."""

_LAST = "\U0010ffff"
_EQUAL = (
    "tenant",
    "key",
    "route",
    "outcome",
    "reason",
    "rung",
    "provider",
    "model",
    "status",
    "wire",
)


class Shipment(NamedTuple):
    """What one call of :meth:`RecordStore.ship` or ``settle`` has done.

    Attributes:
        records: New records, in order, the interrupted ones last.
        interrupted: How many of them were intents.
        superseded: Entries whose place was taken.
        annotations: New annotations, in order.
    """

    records: list[Record]
    interrupted: int = 0
    superseded: int = 0
    annotations: Sequence[Annotation] = ()


class DatabaseBehind(SteadyhandError):
    """The database holds less of a log than was stored: another one stands in its place."""

    code, status, retryable = "database_behind", 503, True


class RecordStore:
    """Keeps records. Every call is one transaction and may block; safe between threads."""

    def __init__(
        self,
        database: Database,
        *,
        clock_us: Callable[[], int] = wall_clock_us,
        told: Told = NOBODY,
    ) -> None:
        """Take a database whose schema is up to date, and what the outbox wants of all."""
        self._database = database
        self._clock_us = clock_us
        self._told = told
        dialect = database.engine.dialect
        insert = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
        compiled = insert(records).on_conflict_do_nothing().compile(dialect=dialect)
        self._insert = str(compiled)
        self._is_positional = compiled.positional
        self._begin_shipments = insert(shipments).on_conflict_do_nothing()
        self._insert_intents = insert(intents).on_conflict_do_nothing()
        self._insert_annotations = insert(annotations).on_conflict_do_nothing()

    def cursor(self, writer: str) -> Cursor:
        """Return how far ``writer``'s log is stored.

        Raises:
            DatabaseUnavailable: Retryable.
        """
        table = shipments.c
        wanted = sa.select(table.segment, table.position, table.sequence).where(
            table.writer == writer
        )
        with self._database.read() as connection:
            row = connection.execute(wanted).one_or_none()
        return START if row is None else Cursor(*row)

    def ship(
        self,
        writer: str,
        entries: Sequence[Entry],
        reading: Cursor,
        *,
        notes: Sequence[Note] = (),
        after: int = 0,
    ) -> Shipment:
        """Store ``entries`` and ``notes``, and move the writer's cursor to ``reading``, or nothing.

        Exactly once by (writer, sequence), however often and by however many it is called: what
        the stored cursor has passed is left out, under a lock on that cursor. ``after`` is the
        sequence that the caller has seen stored.

        Raises:
            DatabaseUnavailable: Nothing was stored; call again with the same.
            DatabaseBehind: Nothing was stored; begin again at the stored cursor.
        """
        row = shipments.c.writer == writer
        with self._database.write() as connection:
            connection.execute(
                self._begin_shipments,
                {"writer": writer, "sequence": 0, "segment": 0, "position": 0, "shipped_us": 0},
            )
            taken = connection.execute(
                sa.select(shipments.c.sequence).where(row).with_for_update()
            ).scalar_one()
            if taken < after:
                raise DatabaseBehind(
                    f"writer {writer} was stored to {after}, and the database has it to {taken}",
                    hint="the database was replaced; what the log still has is stored again",
                )
            found = resolve([entry for entry in entries if entry.sequence > taken])
            superseded = found.superseded + self._supersede(connection, writer, found.gone)
            self._add(connection, writer, found.records)
            expose(connection, writer, found.records)
            self._queue(connection, writer, found.records)
            if found.intents:
                rows = [
                    {"writer": writer, "sequence": entry.sequence, "frame": entry.payload}
                    for entry in found.intents
                ]
                connection.execute(self._insert_intents, rows)
            fresh = [note for note in notes if note.sequence > taken]
            if fresh:
                rows = [annotation_row(writer, note) for note in fresh]
                connection.execute(self._insert_annotations, rows)
                self._queue(connection, writer, fresh)
                expose_samples(connection, writer, fresh)
            if reading.sequence >= taken:
                moved = {
                    "sequence": reading.sequence,
                    "segment": reading.segment,
                    "position": reading.offset,
                    "shipped_us": self._clock_us(),
                }
                connection.execute(sa.update(shipments).where(row).values(moved))
        return Shipment(
            [entry.record for entry in found.records],
            superseded=superseded,
            annotations=[note.annotation for note in fresh],
        )

    def settle(self, writer: str) -> Shipment:
        """Make records of the intents of a writer that has ended and is wholly stored.

        Raises:
            DatabaseUnavailable: All of them wait; call again.
        """
        mine = intents.c.writer == writer
        wanted = sa.select(intents.c.sequence, intents.c.frame).where(mine)
        with self._database.read() as connection:
            if connection.execute(wanted.limit(1)).one_or_none() is None:
                return Shipment([])
        with self._database.write() as connection:
            rows = connection.execute(wanted.order_by(intents.c.sequence)).all()
            entries = [Entry(sequence, _decode(frame), frame) for sequence, frame in rows]
            self._add(connection, writer, entries)
            expose(connection, writer, entries)
            self._queue(connection, writer, entries)
            connection.execute(sa.delete(intents).where(mine))
        return Shipment([entry.record for entry in entries], interrupted=len(entries))

    def unsettled(self) -> list[str]:
        """Return the writers that have intents.

        Raises:
            DatabaseUnavailable: Retryable.
        """
        with self._database.read() as connection:
            wanted = sa.select(intents.c.writer).distinct().order_by(intents.c.writer)
            return [*connection.execute(wanted).scalars()]

    def _add(self, connection: sa.Connection, writer: str, entries: Sequence[Entry]) -> None:
        if entries:
            connection.exec_driver_sql(self._insert, self._rows(writer, entries))

    def _queue(self, connection: sa.Connection, writer: str, found: Sequence[Entry | Note]) -> None:
        put(connection, writer, self._told.of(found), self._clock_us())

    def _supersede(self, connection: sa.Connection, writer: str, gone: Sequence[int]) -> int:
        """Take away what earlier calls have stored; return how much that was."""
        count = 0
        for table in (intents, records, exposures) if gone else ():
            for start in range(0, len(gone), MOST_VALUES):
                some = gone[start : start + MOST_VALUES]
                there = (table.c.writer == writer) & table.c.sequence.in_(some)
                deleted = connection.execute(sa.delete(table).where(there)).rowcount
                count += deleted if table is not exposures else 0
        return count

    def list(
        self, wanted: RecordFilter = EVERYTHING, *, limit: int = 50, before: str | None = None
    ) -> Page:
        """Return up to ``limit`` records, newest first; ``before`` comes from the last page.

        Raises:
            InvalidValue: ``before`` is not from a page.
            DatabaseUnavailable: Retryable.
        """
        conditions = _conditions(wanted)
        if before is not None:
            conditions.append(sa.tuple_(*_NEWEST_FIRST) < parse_position(before))
        columns = (records.c.writer, records.c.sequence, records.c.frame)
        query = (
            sa.select(*columns)
            .where(*conditions)
            .order_by(*(column.desc() for column in _NEWEST_FIRST))
            .limit(limit + 1)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        found = tuple(StoredRecord(row[0], row[1], _decode(row[2])) for row in rows[:limit])
        return Page(found, str(position_of(found[-1])) if len(rows) > limit and found else None)

    def count(self, wanted: RecordFilter = EVERYTHING) -> int:
        """Return how many records there are; reads them all, so ask only when asked.

        Raises:
            DatabaseUnavailable: Retryable.
        """
        query = sa.select(sa.func.count()).select_from(records).where(*_conditions(wanted))
        with self._database.read() as connection:
            return connection.execute(query).scalar_one()

    def show(self, request_id: str) -> StoredRecord | None:
        """Return the record of one request; ``None`` if it is unknown or not shipped yet.

        Raises:
            DatabaseUnavailable: Retryable.
        """
        query = (
            sa.select(records.c.writer, records.c.sequence, records.c.frame)
            .where(records.c.request_id == request_id)
            .order_by(records.c.received_us.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else StoredRecord(row[0], row[1], _decode(row[2]))

    def annotations_of(self, request_id: str) -> Sequence[Annotation]:
        """Return what became known of a request after its record, oldest first.

        Raises:
            DatabaseUnavailable: Retryable.
        """
        table = annotations.c
        query = (
            sa.select(table.frame)
            .where(table.request_id == request_id)
            .order_by(table.made_us, table.writer, table.sequence)
        )
        with self._database.read() as connection:
            return [_decode_annotation(frame) for frame in connection.execute(query).scalars()]

    def _rows(self, writer: str, entries: Sequence[Entry]) -> Any:
        """Return rows as the driver takes them; its own call is twice as fast as Core's."""
        rows = ((writer, e.sequence, *_fields(e.record), e.payload) for e in entries)
        if self._is_positional:
            return [*rows]
        return [dict(zip(_COLUMNS, row, strict=True)) for row in rows]


def _conditions(wanted: RecordFilter) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = [
        records.c[name] == value for name in _EQUAL if (value := getattr(wanted, name)) is not None
    ]
    if wanted.request_id:
        found.append(records.c.request_id >= wanted.request_id)
        found.append(records.c.request_id <= wanted.request_id + _LAST)
    if wanted.wire_not is not None:
        found.append(records.c.wire != wanted.wire_not)
    if wanted.since_us is not None:
        found.append(records.c.received_us >= wanted.since_us)
    if wanted.until_us is not None:
        found.append(records.c.received_us < wanted.until_us)
    return found
