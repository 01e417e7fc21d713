"""The tables of alerting; statements are in the store."""

import sqlalchemy as sa

from steadyhand.storage.columns import NAME

metadata = sa.MetaData()
"""As ``storage/migrations`` makes it; a test compares the two."""


alerts_told = sa.Table(
    "alerts_told",
    metadata,
    sa.Column("webhook", NAME, primary_key=True),
    sa.Column("fingerprint", NAME, primary_key=True),
    sa.Column("told_us", sa.BigInteger, nullable=False),
    sa.Column("alert", sa.LargeBinary, nullable=False),
)
"""What each webhook was told and not yet told the end of."""

alert_messages = sa.Table(
    "alert_messages",
    metadata,
    sa.Column("id", NAME, primary_key=True),
    sa.Column("webhook", NAME, nullable=False),
    sa.Column("state", NAME, nullable=False),
    sa.Column("is_urgent", sa.SmallInteger, nullable=False),
    sa.Column("made_us", sa.BigInteger, nullable=False),
    sa.Column("next_us", sa.BigInteger, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("problem", sa.String(), nullable=False),
    sa.Column("message", sa.LargeBinary, nullable=False),
    sa.Index("alert_messages_state", "state", "webhook", "made_us"),
)
"""``state`` is ``waiting``, ``delivered``, ``dropped`` (too many) or ``given_up`` (too old)."""

alert_hints = sa.Table(
    "alert_hints",
    metadata,
    sa.Column("fingerprint", NAME, primary_key=True),
    sa.Column("began", NAME, primary_key=True),
    sa.Column("name", NAME, nullable=False),
    sa.Column("route", NAME, nullable=False),
    sa.Column("status", NAME, nullable=False),
    sa.Column("outcome", NAME, nullable=False),
    sa.Column("heard_us", sa.BigInteger, nullable=False),
    sa.Index("alert_hints_heard", "heard_us"),
)
"""What an Alertmanager told, and what came of it."""
