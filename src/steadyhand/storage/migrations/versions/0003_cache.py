"""The cold tier of the cache: sealed answers at addresses that tell nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "cache_entries",
        sa.Column("address", sa.LargeBinary, primary_key=True),
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("route", NAME, nullable=False),
        sa.Column("expires_us", sa.BigInteger, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_index("cache_entries_expires", "cache_entries", ["expires_us", "size"])


def downgrade() -> None:
    op.drop_table("cache_entries")
