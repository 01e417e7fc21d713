"""The outbox in SQL: filled in the transaction that stores a record, emptied when it was told.

So what is stored is told at least once, whoever dies when. Rows only name entries; who tells takes
some of them for a while, and if it is not heard of again another one may.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from steadyhand.records.annotation import Annotation
from steadyhand.records.record import Record
from steadyhand.records.tables import annotations, outbox, records
from steadyhand.storage.database import Database

MOST = 500
"""Entries that are taken at once; databases bound the values of a statement."""

_decode = msgspec.msgpack.Decoder(Record).decode
_decode_annotation = msgspec.msgpack.Decoder(Annotation).decode


class Waiting(NamedTuple):
    """One entry that was taken.

    Attributes:
        writer: Of its log.
        sequence: In that log.
        queued_us: When it was stored.
        record: It, or ``None`` if it is none, was superseded, or is of a shape unknown here.
        note: Likewise, an annotation.
    """

    writer: str
    sequence: int
    queued_us: int
    record: Record | None
    note: Annotation | None


class State(NamedTuple):
    """How much waits, and since when the oldest does; 0 if none does."""

    entries: int
    oldest_us: int


def put(
    connection: sa.Connection, writer: str, found: Sequence[tuple[int, bool]], now_us: int
) -> None:
    """Write (sequence, whether it is an annotation) of entries that are to be told."""
    if not found:
        return
    is_postgres = connection.dialect.name == "postgresql"
    insert = (postgresql.insert if is_postgres else sqlite.insert)(outbox)
    rows = [
        {
            "writer": writer,
            "sequence": sequence,
            "is_note": int(is_note),
            "queued_us": now_us,
            "claimed_us": 0,
        }
        for sequence, is_note in found
    ]
    connection.execute(insert.on_conflict_do_nothing(), rows)


class Outbox:
    """Every call is one transaction and may block; safe between threads and processes."""

    def __init__(self, database: Database) -> None:
        """Take a database whose schema is up to date."""
        self._database = database

    def take(self, now_us: int, until_us: int, limit: int = MOST) -> list[Waiting]:
        """Return the oldest entries that nobody else has taken; they are ours ``until_us``.

        Raises:
            DatabaseUnavailable: Nothing was taken.
        """
        same_record = (records.c.writer == outbox.c.writer) & (
            records.c.sequence == outbox.c.sequence
        )
        same_note = (annotations.c.writer == outbox.c.writer) & (
            annotations.c.sequence == outbox.c.sequence
        )
        wanted = (
            sa.select(
                outbox.c.writer,
                outbox.c.sequence,
                outbox.c.queued_us,
                records.c.frame,
                annotations.c.frame,
            )
            .select_from(outbox.outerjoin(records, same_record).outerjoin(annotations, same_note))
            .where(outbox.c.claimed_us <= now_us)
            .order_by(outbox.c.queued_us, outbox.c.writer, outbox.c.sequence)
            .limit(min(limit, MOST))
            .with_for_update(of=outbox, skip_locked=True)
        )
        with self._database.write() as connection:
            found = [
                Waiting(row[0], row[1], row[2], _record(row[3]), _note(row[4]))
                for row in connection.execute(wanted)
            ]
            _hold(connection, found, until_us)
        return found

    def hold(self, taken: Collection[Waiting], until_us: int) -> None:
        """Keep what was taken until then; 0 gives it back.

        Raises:
            DatabaseUnavailable: It is ours only until when it was before.
        """
        with self._database.write() as connection:
            _hold(connection, taken, until_us)

    def told(self, taken: Collection[Waiting]) -> None:
        """Take out what was told.

        Raises:
            DatabaseUnavailable: It will be told again.
        """
        with self._database.write() as connection:
            for condition in _which(taken):
                connection.execute(sa.delete(outbox).where(condition))

    def give_up(self, before_us: int, most: int) -> int:
        """Take out what was stored before then, and the oldest above ``most``; return how much.

        Raises:
            DatabaseUnavailable: Nothing was taken out.
        """
        with self._database.write() as connection:
            count = connection.execute(
                sa.delete(outbox).where(outbox.c.queued_us < before_us)
            ).rowcount
            queued = outbox.c.queued_us
            edge = sa.select(queued).order_by(queued.desc()).offset(most).limit(1)
            last_us = connection.execute(edge).scalar_one_or_none()
            if last_us is not None:
                count += connection.execute(sa.delete(outbox).where(queued <= last_us)).rowcount
        return count

    def state(self) -> State:
        """Return how much waits.

        Raises:
            DatabaseUnavailable: It is not known.
        """
        wanted = sa.select(sa.func.count(), sa.func.min(outbox.c.queued_us))
        with self._database.read() as connection:
            count, oldest_us = connection.execute(wanted.select_from(outbox)).one()
        return State(count, oldest_us or 0)

    def records(self, request_ids: Collection[str]) -> Mapping[str, Record]:
        """Return the records of these requests, as far as they are stored.

        Raises:
            DatabaseUnavailable: They are not known.
        """
        if not request_ids:
            return {}
        wanted = sa.select(records.c.frame).where(records.c.request_id.in_(request_ids))
        with self._database.read() as connection:
            found = [_record(frame) for frame in connection.execute(wanted).scalars()]
        return {each.request_id: each for each in found if each is not None}


def _hold(connection: sa.Connection, taken: Collection[Waiting], until_us: int) -> None:
    for condition in _which(taken):
        connection.execute(sa.update(outbox).where(condition).values(claimed_us=until_us))


def _which(taken: Collection[Waiting]) -> list[sa.ColumnElement[bool]]:
    by_writer = defaultdict(list)
    for each in taken:
        by_writer[each.writer].append(each.sequence)
    return [
        (outbox.c.writer == writer) & outbox.c.sequence.in_(sequences)
        for writer, sequences in by_writer.items()
    ]


def _record(frame: bytes | None) -> Record | None:
    try:
        return None if frame is None else _decode(frame)
    except msgspec.DecodeError:
        return None


def _note(frame: bytes | None) -> Annotation | None:
    try:
        return None if frame is None else _decode_annotation(frame)
    except msgspec.DecodeError:
        return None
