"""Rollouts: what they have to know of requests, where they are, what they saw, what went wrong."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "exposures",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("writer", NAME, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("rollout", NAME, nullable=False),
        sa.Column("unit", sa.BigInteger, nullable=False),
        sa.Column("slot", sa.SmallInteger, nullable=False),
        sa.Column("weight", sa.SmallInteger, nullable=False),
        sa.Column("controls", sa.SmallInteger, nullable=False),
        sa.Column("received_us", sa.BigInteger, nullable=False),
        sa.Column("latency_us", sa.BigInteger, nullable=False),
        sa.Column("tokens", sa.Integer, nullable=False),
        sa.Column("flags", sa.SmallInteger, nullable=False),
    )
    op.create_index("exposures_rollout", "exposures", ["rollout", "number"])
    op.create_index("exposures_entry", "exposures", ["writer", "sequence"], unique=True)
    numbers = op.create_table(
        "exposure_numbers",
        sa.Column("one", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("next", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(numbers, [{"one": 1, "next": 1}])
    op.create_table(
        "rollouts",
        sa.Column("id", NAME, primary_key=True),
        sa.Column("route", NAME, nullable=False),
        sa.Column("environment", NAME, nullable=False),
        sa.Column("open_place", NAME, nullable=True, unique=True),
        sa.Column("phase", NAME, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("opened_us", sa.BigInteger, nullable=False),
        sa.Column("ended_us", sa.BigInteger, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
    )
    op.create_index("rollouts_opened", "rollouts", ["opened_us"])
    op.create_table(
        "rollout_looks",
        sa.Column("rollout", NAME, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("look", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "incidents",
        sa.Column("id", NAME, primary_key=True),
        sa.Column("rollout", NAME, nullable=False),
        sa.Column("opened_us", sa.BigInteger, nullable=False),
        sa.Column("closed_us", sa.BigInteger, nullable=False),
        sa.Column("incident", sa.LargeBinary, nullable=False),
    )
    op.create_index("incidents_opened", "incidents", ["opened_us"])
    op.create_table(
        "drains",
        sa.Column("salt", NAME, primary_key=True),
        sa.Column("rollout", NAME, nullable=False),
        sa.Column("since_us", sa.BigInteger, nullable=False),
        sa.Column("reason", NAME, nullable=False),
    )
    op.create_table(
        "leases",
        sa.Column("name", NAME, primary_key=True),
        sa.Column("holder", NAME, nullable=False),
        sa.Column("until_us", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    for table in (
        "leases",
        "drains",
        "incidents",
        "rollout_looks",
        "rollouts",
        "exposure_numbers",
        "exposures",
    ):
        op.drop_table(table)
