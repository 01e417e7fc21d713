"""Grounding: samples of answers, and what they were found to be, until they expire."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "grounding_samples",
        sa.Column("request_id", NAME, primary_key=True),
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("route", NAME, nullable=False),
        sa.Column("release", NAME, nullable=False),
        sa.Column("verdict", NAME, nullable=False),
        sa.Column("reason", NAME, nullable=False),
        sa.Column("judged", NAME, nullable=False),
        sa.Column("probability", sa.Float(53), nullable=False),
        sa.Column("sampled_us", sa.BigInteger, nullable=False),
        sa.Column("expires_us", sa.BigInteger, nullable=False),
        sa.Column("finding", sa.LargeBinary, nullable=False),
        sa.Column("sample", sa.LargeBinary, nullable=False),
    )
    op.create_index("grounding_samples_sampled", "grounding_samples", ["sampled_us"])
    op.create_index("grounding_samples_expires", "grounding_samples", ["expires_us"])
