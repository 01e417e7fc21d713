"""The tables of alerting; statements are in the store."""

import sqlalchemy as sa

metadata = sa.MetaData()
"""As ``storage/migrations`` makes it; a test compares the two."""

_NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")

alerts_told = sa.Table(
    "alerts_told",
    metadata,
    sa.Column("webhook", _NAME, primary_key=True),
    sa.Column("fingerprint", _NAME, primary_key=True),
    sa.Column("told_us", sa.BigInteger, nullable=False),
    sa.Column("alert", sa.LargeBinary, nullable=False),
)
"""What each webhook was told and not yet told the end of."""

alert_messages = sa.Table(
    "alert_messages",
    metadata,
    sa.Column("id", _NAME, primary_key=True),
    sa.Column("webhook", _NAME, nullable=False),
    sa.Column("state", _NAME, nullable=False),
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
    sa.Column("fingerprint", _NAME, primary_key=True),
    sa.Column("began", _NAME, primary_key=True),
    sa.Column("name", _NAME, nullable=False),
    sa.Column("route", _NAME, nullable=False),
    sa.Column("status", _NAME, nullable=False),
    sa.Column("outcome", _NAME, nullable=False),
    sa.Column("heard_us", sa.BigInteger, nullable=False),
    sa.Index("alert_hints_heard", "heard_us"),
)
"""What an Alertmanager told, and what came of it."""
