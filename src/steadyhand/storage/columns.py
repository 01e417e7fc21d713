"""Columns that tables of every slice have."""

import sqlalchemy as sa

NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")
"""A name, id or digest: compared and sorted byte by byte, as SQLite does anyhow."""


def name(column: str) -> sa.Column[str]:
    """Return a column of names that each row has."""
    return sa.Column(column, NAME, nullable=False)
