"""Records in SQL: shipped in exactly once, listed newest first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from steadyhand.core.errors import InvalidValue
from steadyhand.records.clock import wall_clock_us
from steadyhand.records.cursor import START, Cursor
from steadyhand.records.reader import Entry
from steadyhand.records.record import Record
from steadyhand.records.tables import records, shipments
from steadyhand.storage.database import Database

_COLUMNS = tuple(column.name for column in records.columns)
_fields = attrgetter(*_COLUMNS[2:-1])
_decode = msgspec.msgpack.Decoder(Record).decode
_NEWEST_FIRST = (records.c.received_us, records.c.writer, records.c.sequence)


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Which records are wanted; ``None`` leaves a field open, all others must hold.

    Attributes:
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
    request_id: str | None = None
    since_us: int | None = None
    until_us: int | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """Return these wishes as SQL."""
        equal = ("tenant", "key", "route", "outcome", "reason", "rung", "provider", "model")
        found: list[sa.ColumnElement[bool]] = [
            records.c[name] == wanted
            for name in (*equal, "status")
            if (wanted := getattr(self, name)) is not None
        ]
        if self.request_id:
            after = self.request_id[:-1] + chr(ord(self.request_id[-1]) + 1)
            found.append(records.c.request_id >= self.request_id)
            found.append(records.c.request_id < after)
        if self.since_us is not None:
            found.append(records.c.received_us >= self.since_us)
        if self.until_us is not None:
            found.append(records.c.received_us < self.until_us)
        return found


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


class RecordStore:
    """Keeps records. Every call is one transaction and may block; safe between threads."""

    def __init__(self, database: Database, *, clock_us: Callable[[], int] = wall_clock_us) -> None:
        """Take a database whose schema is up to date."""
        self._database = database
        self._clock_us = clock_us
        dialect = database.engine.dialect
        insert = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
        compiled = insert(records).on_conflict_do_nothing().compile(dialect=dialect)
        self._insert = str(compiled)
        self._is_positional = compiled.positional
        self._begin_shipments = insert(shipments).on_conflict_do_nothing()

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

    def ship(self, writer: str, entries: Sequence[Entry], cursor: Cursor) -> int:
        """Store ``entries`` and move the writer's cursor, both or neither.

        Exactly once by (writer, sequence), however often and by however many it is called: what
        the stored cursor has passed is left out, under a lock on that cursor.

        Returns:
            How many were new; they are the last of ``entries``.

        Raises:
            DatabaseUnavailable: Nothing was stored; call again with the same.
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
            rows = self._rows(writer, [entry for entry in entries if entry.sequence > taken])
            if rows:
                connection.exec_driver_sql(self._insert, rows)
            if cursor.sequence >= taken:
                moved = {
                    "sequence": cursor.sequence,
                    "segment": cursor.segment,
                    "position": cursor.offset,
                    "shipped_us": self._clock_us(),
                }
                connection.execute(sa.update(shipments).where(row).values(moved))
        return len(rows)

    def list(
        self, wanted: RecordFilter = EVERYTHING, *, limit: int = 50, before: str | None = None
    ) -> Page:
        """Return up to ``limit`` records, newest first; ``before`` comes from the last page.

        Raises:
            InvalidValue: ``before`` is not from a page.
            DatabaseUnavailable: Retryable.
        """
        conditions = wanted.conditions()
        if before is not None:
            conditions.append(sa.tuple_(*_NEWEST_FIRST) < _parse_position(before))
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
        return Page(found, _position(found[-1]) if len(rows) > limit and found else None)

    def count(self, wanted: RecordFilter = EVERYTHING) -> int:
        """Return how many records there are; reads them all, so ask only when asked.

        Raises:
            DatabaseUnavailable: Retryable.
        """
        query = sa.select(sa.func.count()).select_from(records).where(*wanted.conditions())
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

    def _rows(self, writer: str, entries: Sequence[Entry]) -> Any:
        """Return rows as the driver takes them; its own call is twice as fast as Core's."""
        rows = ((writer, e.sequence, *_fields(e.record), e.payload) for e in entries)
        if self._is_positional:
            return [*rows]
        return [dict(zip(_COLUMNS, row, strict=True)) for row in rows]


def _position(stored: StoredRecord) -> str:
    return f"{stored.record.received_us}.{stored.writer}.{stored.sequence}"


def _parse_position(text: str) -> tuple[int, str, int]:
    received_us, _, rest = text.partition(".")
    writer, _, sequence = rest.rpartition(".")
    try:
        return int(received_us), writer, int(sequence)
    except ValueError as error:
        raise InvalidValue(
            f"before={text!r} is not a place in the list",
            hint="pass the `before` of the previous page, unchanged",
            param="before",
        ) from error
