"""What was counted of objectives, in SQL."""

from collections.abc import Mapping, Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from steadyhand.objectives.model import Key
from steadyhand.objectives.series import Counted
from steadyhand.objectives.tables import objective_counts as counts
from steadyhand.storage.database import Database

BUCKET_S: Final = 300
"""Counts are kept by so many seconds."""


class ObjectiveStore:
    """Every call is one transaction and may block; safe between threads."""

    def __init__(self, database: Database) -> None:
        """Take a database whose schema is up to date."""
        self._database = database
        dialect = database.engine.dialect.name
        insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(counts)
        self._add = insert.on_conflict_do_update(
            index_elements=["route", "objective", "bucket_s"],
            set_={
                "events": counts.c.events + insert.excluded.events,
                "bad": counts.c.bad + insert.excluded.bad,
            },
        )

    def add(self, at_s: float, more: Mapping[Key, Counted], keep_s: float) -> None:
        """Add what was counted lately to the bucket of this moment; forget what is too old.

        Raises:
            DatabaseUnavailable: Nothing was added.
        """
        bucket_s = int(at_s // BUCKET_S) * BUCKET_S
        rows = [
            {
                "route": key.route,
                "objective": key.kind,
                "bucket_s": bucket_s,
                "events": round(counted.events),
                "bad": round(counted.bad),
            }
            for key, counted in more.items()
        ]
        with self._database.write() as connection:
            if rows:
                connection.execute(self._add, rows)
            connection.execute(
                sa.delete(counts).where(counts.c.bucket_s < at_s - keep_s - BUCKET_S)
            )

    def history(self, since_s: float) -> Mapping[Key, Sequence[tuple[float, Counted]]]:
        """Return what was counted by bucket, oldest first, each with the moment of its end.

        Raises:
            DatabaseUnavailable: It cannot be read.
        """
        wanted = (
            sa.select(counts)
            .where(counts.c.bucket_s >= since_s - BUCKET_S)
            .order_by(counts.c.bucket_s)
        )
        found: dict[Key, list[tuple[float, Counted]]] = {}
        with self._database.read() as connection:
            for row in connection.execute(wanted):
                ended_s = float(row.bucket_s + BUCKET_S)
                counted = Counted(row.events, row.bad)
                found.setdefault(Key(row.route, row.objective), []).append((ended_s, counted))
        return found
