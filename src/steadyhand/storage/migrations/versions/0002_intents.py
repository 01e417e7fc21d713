"""Intents: entries of a strict log whose answer had begun and whose end is not known yet."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "intents",
        sa.Column("writer", NAME, primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True),
        sa.Column("frame", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("intents")
