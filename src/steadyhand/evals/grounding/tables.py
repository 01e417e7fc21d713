"""The table of samples; statements are in the store."""

import sqlalchemy as sa

from steadyhand.storage.columns import NAME, name

metadata = sa.MetaData()
"""As ``storage/migrations`` makes it; a test compares the two."""


grounding_samples = sa.Table(
    "grounding_samples",
    metadata,
    sa.Column("request_id", NAME, primary_key=True),
    name("tenant"),
    name("route"),
    name("release"),
    name("verdict"),
    name("reason"),
    name("judged"),
    sa.Column("probability", sa.Float(53), nullable=False),
    sa.Column("sampled_us", sa.BigInteger, nullable=False),
    sa.Column("expires_us", sa.BigInteger, nullable=False),
    sa.Column("finding", sa.LargeBinary, nullable=False),
    sa.Column("sample", sa.LargeBinary, nullable=False),
    sa.Index("grounding_samples_sampled", "sampled_us"),
    sa.Index("grounding_samples_expires", "expires_us"),
)
"""Without a foreign key: the record may not have been written, and lives longer."""
