"""The tables of rollouts; statements are in the store."""

import sqlalchemy as sa

from steadyhand.storage.columns import NAME, name

metadata = sa.MetaData()
"""As ``storage/migrations`` makes it; a test compares the two."""


def _count(column: str) -> sa.Column[int]:
    return sa.Column(column, sa.BigInteger, nullable=False)


def _bytes(column: str) -> sa.Column[bytes]:
    return sa.Column(column, sa.LargeBinary, nullable=False)


rollouts = sa.Table(
    "rollouts",
    metadata,
    sa.Column("id", NAME, primary_key=True),
    name("route"),
    name("environment"),
    sa.Column("open_place", NAME, nullable=True, unique=True),
    name("phase"),
    _count("version"),
    _count("opened_us"),
    _count("ended_us"),
    _bytes("state"),
    sa.Index("rollouts_opened", "opened_us"),
)
"""``open_place`` is environment and route while the rollout is open: one at a time in a channel."""

rollout_looks = sa.Table(
    "rollout_looks",
    metadata,
    sa.Column("rollout", NAME, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    _count("at_us"),
    _bytes("look"),
)

incidents = sa.Table(
    "incidents",
    metadata,
    sa.Column("id", NAME, primary_key=True),
    name("rollout"),
    _count("opened_us"),
    _count("closed_us"),
    _bytes("incident"),
    sa.Index("incidents_opened", "opened_us"),
)

drains = sa.Table(
    "drains",
    metadata,
    sa.Column("salt", NAME, primary_key=True),
    name("rollout"),
    _count("since_us"),
    name("reason"),
)
"""Overrides: candidates that are taken off before Git says so; each goes once Git does."""

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", NAME, primary_key=True),
    name("holder"),
    _count("until_us"),
)
