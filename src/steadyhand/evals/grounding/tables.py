"""The table of samples; statements are in the store."""

import sqlalchemy as sa

metadata = sa.MetaData()
"""As ``storage/migrations`` makes it; a test compares the two."""

_NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def _name(column: str) -> sa.Column[str]:
    return sa.Column(column, _NAME, nullable=False)


grounding_samples = sa.Table(
    "grounding_samples",
    metadata,
    sa.Column("request_id", _NAME, primary_key=True),
    _name("tenant"),
    _name("route"),
    _name("release"),
    _name("verdict"),
    _name("reason"),
    _name("judged"),
    sa.Column("probability", sa.Float(53), nullable=False),
    sa.Column("sampled_us", sa.BigInteger, nullable=False),
    sa.Column("expires_us", sa.BigInteger, nullable=False),
    sa.Column("finding", sa.LargeBinary, nullable=False),
    sa.Column("sample", sa.LargeBinary, nullable=False),
    sa.Index("grounding_samples_sampled", "sampled_us"),
    sa.Index("grounding_samples_expires", "expires_us"),
)
"""Without a foreign key: the record may not have been written, and lives longer."""
