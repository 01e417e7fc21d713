"""The tables of the records; statements are in the stores."""

import sqlalchemy as sa

from steadyhand.records.entry import Note
from steadyhand.storage.columns import NAME, name

metadata = sa.MetaData()
"""As ``storage/migrations`` makes it; a test compares the two."""


def _count(column: str) -> sa.Column[int]:
    return sa.Column(column, sa.BigInteger, nullable=False)


records = sa.Table(
    "records",
    metadata,
    sa.Column("writer", NAME, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    name("request_id"),
    _count("received_us"),
    name("tenant"),
    name("key"),
    name("route"),
    name("outcome"),
    name("reason"),
    name("rung"),
    name("provider"),
    name("model"),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("stream", sa.Boolean, nullable=False),
    sa.Column("in_time", sa.Boolean, nullable=False),
    _count("total_us"),
    _count("first_content_us"),
    _count("input_tokens"),
    _count("output_tokens"),
    sa.Column("process", sa.Integer, nullable=False),
    name("wire"),
    sa.Column("frame", sa.LargeBinary, nullable=False),
    sa.Index("records_request_id", "request_id"),
    sa.Index("records_received", "received_us"),
    sa.Index("records_route_received", "route", "received_us"),
)
"""Columns to filter by, named as :class:`~steadyhand.records.record.Record` names them.

``frame`` is the whole record as it was logged, so a new field needs no migration. Few indexes:
each costs a tenth of the shipping rate.
"""

shipments = sa.Table(
    "shipments",
    metadata,
    sa.Column("writer", NAME, primary_key=True),
    _count("sequence"),
    _count("segment"),
    _count("position"),
    _count("shipped_us"),
)
"""A :class:`~steadyhand.records.cursor.Cursor` per writer."""

intents = sa.Table(
    "intents",
    metadata,
    sa.Column("writer", NAME, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("frame", sa.LargeBinary, nullable=False),
)
"""Entries written before their answer began, until a record supersedes them or they become one."""

exposures = sa.Table(
    "exposures",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    name("writer"),
    _count("sequence"),
    name("rollout"),
    _count("unit"),
    sa.Column("slot", sa.SmallInteger, nullable=False),
    sa.Column("weight", sa.SmallInteger, nullable=False),
    sa.Column("controls", sa.SmallInteger, nullable=False),
    _count("received_us"),
    _count("latency_us"),
    sa.Column("tokens", sa.Integer, nullable=False),
    sa.Column("flags", sa.SmallInteger, nullable=False),
    sa.Index("exposures_rollout", "rollout", "number"),
    sa.Index("exposures_entry", "writer", "sequence", unique=True),
)
"""What rollouts have to know of requests, written with the record; numbers are in the order in
which they were committed, so whoever has read up to one has missed none below it."""

exposure_numbers = sa.Table(
    "exposure_numbers",
    metadata,
    sa.Column("one", sa.SmallInteger, primary_key=True, autoincrement=False),
    _count("next"),
)
"""One row: the number of the next exposure. To take numbers is to hold its lock until commit."""

annotations = sa.Table(
    "annotations",
    metadata,
    sa.Column("writer", NAME, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    name("request_id"),
    name("kind"),
    _count("made_us"),
    sa.Column("frame", sa.LargeBinary, nullable=False),
    sa.Index("annotations_request_id", "request_id"),
)
"""What came after the record; without a foreign key, since the record may not have been written."""

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("writer", NAME, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("is_note", sa.SmallInteger, nullable=False),
    _count("queued_us"),
    _count("claimed_us"),
    sa.Index("outbox_queued", "queued_us"),
)
"""Entries that a consumer outside still has to be told, written with the record or annotation that
they name; ``claimed_us`` is until when somebody is about to."""


def annotation_row(writer: str, note: Note) -> dict[str, object]:
    """Return the row of an annotation."""
    made = note.annotation
    return {
        "writer": writer,
        "sequence": note.sequence,
        "request_id": made.request_id,
        "kind": made.kind,
        "made_us": made.made_us,
        "frame": note.payload,
    }
