"""Records, and how far each writer's log has been shipped."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# Ids are compared by range: byte order, whatever the database's language.
NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "records",
        sa.Column("writer", NAME, primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True),
        sa.Column("request_id", NAME, nullable=False),
        sa.Column("received_us", sa.BigInteger, nullable=False),
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.Column("route", NAME, nullable=False),
        sa.Column("outcome", NAME, nullable=False),
        sa.Column("reason", NAME, nullable=False),
        sa.Column("rung", NAME, nullable=False),
        sa.Column("provider", NAME, nullable=False),
        sa.Column("model", NAME, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("stream", sa.Boolean, nullable=False),
        sa.Column("in_time", sa.Boolean, nullable=False),
        sa.Column("total_us", sa.BigInteger, nullable=False),
        sa.Column("first_content_us", sa.BigInteger, nullable=False),
        sa.Column("input_tokens", sa.BigInteger, nullable=False),
        sa.Column("output_tokens", sa.BigInteger, nullable=False),
        sa.Column("process", sa.Integer, nullable=False),
        sa.Column("frame", sa.LargeBinary, nullable=False),
    )
    op.create_index("records_request_id", "records", ["request_id"])
    op.create_index("records_received", "records", ["received_us"])
    op.create_index("records_route_received", "records", ["route", "received_us"])
    op.create_table(
        "shipments",
        sa.Column("writer", NAME, primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("segment", sa.BigInteger, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("shipped_us", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("shipments")
    op.drop_table("records")
