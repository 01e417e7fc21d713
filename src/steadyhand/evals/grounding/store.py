"""Samples with what was found of them, until they expire."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from steadyhand.evals.grounding.finding import Finding
from steadyhand.evals.grounding.rate import Rate, Tally, rate
from steadyhand.evals.grounding.sample import Sample, decoded, encoded
from steadyhand.evals.grounding.tables import grounding_samples
from steadyhand.storage.database import Database

MOST_VALUES: Final = 500
"""Values of one statement."""
_decode_finding = msgspec.msgpack.Decoder(Finding).decode


class Kept(NamedTuple):
    """A sample and what was found of it.

    Attributes:
        finding: What was found.
        sample: What was sampled.
        expires_us: When it is deleted, microseconds since 1970.
    """

    finding: Finding
    sample: Sample
    expires_us: int


class Which(NamedTuple):
    """Which samples are meant; ``None`` for all of whatever it is.

    Attributes:
        tenants: Of these tenants.
        route: Of this route.
        verdict: With this verdict.
        request_id: Of this request.
        since_us: Answered since then, microseconds since 1970.
    """

    tenants: Collection[str] | None = None
    route: str | None = None
    verdict: str | None = None
    request_id: str | None = None
    since_us: int | None = None


ALL: Final = Which()


class SampleStore:
    """Every call is one transaction and may block; safe between threads and processes.

    Raises ``DatabaseUnavailable``; nothing of the call is kept then.
    """

    def __init__(self, database: Database) -> None:
        """Take a database whose schema is up to date."""
        self._database = database
        dialect = database.engine.dialect.name
        insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
        self._insert = insert(grounding_samples).on_conflict_do_nothing()

    def known(self, request_ids: Sequence[str]) -> set[str]:
        """Return which of these are kept."""
        column = grounding_samples.c.request_id
        found: set[str] = set()
        with self._database.read() as connection:
            for start in range(0, len(request_ids), MOST_VALUES):
                some = request_ids[start : start + MOST_VALUES]
                wanted = sa.select(column).where(column.in_(some))
                found.update(connection.execute(wanted).scalars())
        return found

    def add(self, rows: Sequence[Kept]) -> None:
        """Keep samples; one that is kept already stays as it is."""
        if not rows:
            return
        with self._database.write() as connection:
            connection.execute(
                self._insert,
                [
                    {
                        "request_id": finding.request_id,
                        "tenant": sample.tenant,
                        "route": sample.route,
                        "release": sample.release,
                        "verdict": finding.verdict,
                        "reason": finding.reason,
                        "judged": finding.judged,
                        "probability": sample.probability,
                        "sampled_us": finding.sampled_us,
                        "expires_us": expires_us,
                        "finding": msgspec.msgpack.encode(finding),
                        "sample": encoded(sample),
                    }
                    for finding, sample, expires_us in rows
                ],
            )

    def list(self, which: Which = ALL, *, now_us: int, limit: int = 50) -> Sequence[Kept]:
        """Return samples, newest first; those whose time is over are gone, deleted or not."""
        table = grounding_samples.c
        wanted = (
            sa.select(table.finding, table.sample, table.expires_us)
            .where(*_conditions(which), table.expires_us > now_us)
            .order_by(table.sampled_us.desc(), table.request_id.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            return [
                Kept(_decode_finding(row.finding), decoded(row.sample), row.expires_us)
                for row in connection.execute(wanted)
            ]

    def rates(self, which: Which = ALL, *, now_us: int) -> Mapping[tuple[str, str], Rate]:
        """Return (route, release) → how many of its samples were ungrounded."""
        table = grounding_samples.c
        weight = 1.0 / table.probability
        wanted = (
            sa.select(
                table.route,
                table.release,
                table.verdict,
                sa.func.count(),
                sa.func.sum(weight),
                sa.func.sum(weight * weight),
            )
            .where(*_conditions(which), table.expires_us > now_us)
            .group_by(table.route, table.release, table.verdict)
            .order_by(table.route, table.release)
        )
        tallies: dict[tuple[str, str], dict[str, Tally]] = {}
        with self._database.read() as connection:
            for route, release, verdict, *sums in connection.execute(wanted):
                tallies.setdefault((route, release), {})[verdict] = Tally(*sums)
        nothing = Tally()
        return {
            key: rate(
                found.get("ungrounded", nothing),
                found.get("grounded", nothing),
                found.get("not_measured", nothing),
            )
            for key, found in tallies.items()
        }

    def expire(self, now_us: int) -> int:
        """Delete what has expired; return how many samples that were."""
        return self._delete(grounding_samples.c.expires_us <= now_us)

    def delete(self, which: Which) -> int:
        """Delete samples; return how many."""
        return self._delete(*_conditions(which))

    def _delete(self, *conditions: sa.ColumnElement[bool]) -> int:
        with self._database.write() as connection:
            return connection.execute(sa.delete(grounding_samples).where(*conditions)).rowcount


def _conditions(which: Which) -> list[sa.ColumnElement[bool]]:
    table = grounding_samples.c
    found: list[sa.ColumnElement[bool]] = []
    if which.tenants is not None:
        found.append(table.tenant.in_(sorted(which.tenants)))
    if which.route is not None:
        found.append(table.route == which.route)
    if which.verdict is not None:
        found.append(table.verdict == which.verdict)
    if which.request_id is not None:
        found.append(table.request_id == which.request_id)
    if which.since_us is not None:
        found.append(table.sampled_us >= which.since_us)
    return found
