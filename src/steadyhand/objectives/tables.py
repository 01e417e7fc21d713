"""The table of objectives; statements are in the store."""

import sqlalchemy as sa

from steadyhand.storage.columns import NAME

metadata = sa.MetaData()
"""As ``storage/migrations`` makes it; a test compares the two."""


objective_counts = sa.Table(
    "objective_counts",
    metadata,
    sa.Column("route", NAME, primary_key=True),
    sa.Column("objective", NAME, primary_key=True),
    sa.Column("bucket_s", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("events", sa.BigInteger, nullable=False),
    sa.Column("bad", sa.BigInteger, nullable=False),
    sa.Index("objective_counts_bucket", "bucket_s"),
)
"""``bucket_s`` is when the five minutes began, seconds since 1970."""
