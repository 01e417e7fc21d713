"""Objectives: what was counted of them, by five minutes, so that budgets outlast restarts."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "objective_counts",
        sa.Column("route", NAME, primary_key=True),
        sa.Column("objective", NAME, primary_key=True),
        sa.Column("bucket_s", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("events", sa.BigInteger, nullable=False),
        sa.Column("bad", sa.BigInteger, nullable=False),
    )
    op.create_index("objective_counts_bucket", "objective_counts", ["bucket_s"])
