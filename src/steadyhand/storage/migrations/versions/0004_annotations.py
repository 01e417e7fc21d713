"""Annotations: what became known of a request after its record; and records by their wire."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "annotations",
        sa.Column("writer", NAME, primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True),
        sa.Column("request_id", NAME, nullable=False),
        sa.Column("kind", NAME, nullable=False),
        sa.Column("made_us", sa.BigInteger, nullable=False),
        sa.Column("frame", sa.LargeBinary, nullable=False),
    )
    op.create_index("annotations_request_id", "annotations", ["request_id"])
    wire = sa.Column("wire", NAME, nullable=False, server_default="chat")
    op.add_column("records", wire)  # all before were of chat


def downgrade() -> None:
    op.drop_column("records", "wire")
    op.drop_table("annotations")
