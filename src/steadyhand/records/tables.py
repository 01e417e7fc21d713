"""The tables of records, as ``storage/migrations`` makes them (a test compares the two)."""

import sqlalchemy as sa

metadata = sa.MetaData()

_NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def _name(column: str) -> sa.Column[str]:
    return sa.Column(column, _NAME, nullable=False)


def _count(column: str) -> sa.Column[int]:
    return sa.Column(column, sa.BigInteger, nullable=False)


records = sa.Table(
    "records",
    metadata,
    sa.Column("writer", _NAME, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    _name("request_id"),
    _count("received_us"),
    _name("tenant"),
    _name("key"),
    _name("route"),
    _name("outcome"),
    _name("reason"),
    _name("rung"),
    _name("provider"),
    _name("model"),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("stream", sa.Boolean, nullable=False),
    sa.Column("in_time", sa.Boolean, nullable=False),
    _count("total_us"),
    _count("first_content_us"),
    _count("input_tokens"),
    _count("output_tokens"),
    sa.Column("process", sa.Integer, nullable=False),
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
    sa.Column("writer", _NAME, primary_key=True),
    _count("sequence"),
    _count("segment"),
    _count("position"),
    _count("shipped_us"),
)
"""A :class:`~steadyhand.records.cursor.Cursor` per writer."""
