"""The cold tier in SQL: sealed entries, bounded by age and by bytes."""

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from steadyhand.caching.epochs import ALL
from steadyhand.caching.link import Item
from steadyhand.storage.columns import NAME
from steadyhand.storage.database import Database

metadata = sa.MetaData()
"""As ``storage/migrations`` makes it; a test compares the two."""


entries = sa.Table(
    "cache_entries",
    metadata,
    sa.Column("address", sa.LargeBinary, primary_key=True),
    sa.Column("tenant", NAME, nullable=False),
    sa.Column("route", NAME, nullable=False),
    sa.Column("expires_us", sa.BigInteger, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Index("cache_entries_expires", "expires_us", "size"),
)
"""``tenant`` and ``route`` are for flushes only: an address says nothing of either.

The index holds all that the bounds need, so that they read no entry.
"""

MOST_DELETED = 2_000
"""Rows of one transaction: the shipper of records waits for the same lock."""
OVERHEAD_BYTES = 150
"""Of a row besides its entry, about."""


class Stock(NamedTuple):
    """What is stored: entries, and bytes with what a row costs besides."""

    entries: int
    size_bytes: int


class CacheStore:
    """Sealed entries by address. Calls block; see :class:`steadyhand.storage.database.Database`."""

    def __init__(self, database: Database) -> None:
        """Take an open database at the newest schema."""
        self._database = database
        dialect = database.engine.dialect.name
        insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(entries)
        changed = {name: insert.excluded[name] for name in ("expires_us", "size", "sealed")}
        self._upsert = insert.on_conflict_do_update(index_elements=["address"], set_=changed)
        self._wanted = sa.select(entries.c.address, entries.c.sealed).where(
            entries.c.address.in_(sa.bindparam("addresses", expanding=True)),
            entries.c.expires_us > sa.bindparam("now_us"),
        )

    def get(self, addresses: Sequence[bytes], now_us: int) -> list[bytes | None]:
        """Return what is stored at each address and has not expired, in order.

        Raises:
            DatabaseUnavailable: Retryable.
        """
        with self._database.read() as connection:
            asked = {"addresses": [*addresses], "now_us": now_us}
            found = {address: sealed for address, sealed in connection.execute(self._wanted, asked)}
        return [found.get(address) for address in addresses]

    def put(self, items: Sequence[Item]) -> None:
        """Store all ``items`` or none, each in place of what is at its address.

        Raises:
            DatabaseUnavailable: None is stored.
        """
        rows = [
            {
                "address": item.address,
                "tenant": item.tenant,
                "route": item.route,
                "expires_us": item.expires_us,
                "size": len(item.sealed) + OVERHEAD_BYTES,
                "sealed": item.sealed,
            }
            for item in items
        ]
        with self._database.write() as connection:
            connection.execute(self._upsert, rows)

    def flush(self, route: str, tenant: str) -> int:
        """Delete the entries of a route and a tenant, ``ALL`` for any; return how many.

        Raises:
            DatabaseUnavailable: Some may be deleted; call again.
        """
        mine = sa.select(entries.c.address)
        if route != ALL:
            mine = mine.where(entries.c.route == route)
        if tenant != ALL:
            mine = mine.where(entries.c.tenant == tenant)
        return self._delete(mine)

    def expire(self, now_us: int, most_bytes: int) -> int:
        """Delete what has expired, then what expires first until ``most_bytes`` are left.

        Returns:
            How many were deleted.

        Raises:
            DatabaseUnavailable: Some may be deleted; call again.
        """
        gone = sa.select(entries.c.address).where(entries.c.expires_us <= now_us)
        deleted = self._delete(gone)
        while (excess := self.stock().size_bytes - most_bytes) > 0:
            deleted += self._delete_first(excess)
        return deleted

    def stock(self) -> Stock:
        """Return how much is stored.

        Raises:
            DatabaseUnavailable: Retryable.
        """
        sums = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(entries.c.size), 0))
        with self._database.read() as connection:
            count, size = connection.execute(sums.select_from(entries)).one()
        return Stock(count, int(size))

    def _delete(self, wanted: sa.Select[tuple[bytes]]) -> int:
        """Delete the entries at the addresses that ``wanted`` finds, some at a time."""
        some = sa.delete(entries).where(entries.c.address.in_(wanted.limit(MOST_DELETED)))
        deleted = MOST_DELETED
        total = 0
        while deleted == MOST_DELETED:
            with self._database.write() as connection:
                deleted = connection.execute(some).rowcount
            total += deleted
        return total

    def _delete_first(self, excess: int) -> int:
        """Delete entries that expire first until ``excess`` bytes are gone, or a step is full."""
        order = (entries.c.expires_us, entries.c.address)
        first = sa.select(entries.c.address, entries.c.size).order_by(*order).limit(MOST_DELETED)
        with self._database.write() as connection:
            victims: list[bytes] = []
            for address, size in connection.execute(first):
                if excess <= 0:
                    break
                victims.append(address)
                excess -= size
            return connection.execute(
                sa.delete(entries).where(
                    entries.c.address.in_(sa.bindparam("victims", victims, expanding=True))
                )
            ).rowcount
