"""Alerts: what webhooks were told, what waits to be told, and what an Alertmanager said."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "alerts_told",
        sa.Column("webhook", NAME, primary_key=True),
        sa.Column("fingerprint", NAME, primary_key=True),
        sa.Column("told_us", sa.BigInteger, nullable=False),
        sa.Column("alert", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "alert_messages",
        sa.Column("id", NAME, primary_key=True),
        sa.Column("webhook", NAME, nullable=False),
        sa.Column("state", NAME, nullable=False),
        sa.Column("is_urgent", sa.SmallInteger, nullable=False),
        sa.Column("made_us", sa.BigInteger, nullable=False),
        sa.Column("next_us", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("message", sa.LargeBinary, nullable=False),
    )
    op.create_index("alert_messages_state", "alert_messages", ["state", "webhook", "made_us"])
    op.create_table(
        "alert_hints",
        sa.Column("fingerprint", NAME, primary_key=True),
        sa.Column("began", NAME, primary_key=True),
        sa.Column("name", NAME, nullable=False),
        sa.Column("route", NAME, nullable=False),
        sa.Column("status", NAME, nullable=False),
        sa.Column("outcome", NAME, nullable=False),
        sa.Column("heard_us", sa.BigInteger, nullable=False),
    )
    op.create_index("alert_hints_heard", "alert_hints", ["heard_us"])
