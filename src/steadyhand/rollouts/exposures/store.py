"""What the shipped records say of a rollout's requests, in the order in which it became known."""

from typing import Final

import sqlalchemy as sa

from steadyhand.records.exposures.model import CANDIDATE, COMPARED, MEASURED, UNGROUNDED
from steadyhand.records.tables import exposures
from steadyhand.rollouts.evidence import Bad, Batch, Evidence, Measured, Seen, Total
from steadyhand.rollouts.model import Policy
from steadyhand.storage.database import Database

BATCH: Final = 50_000
_US: Final = 1_000_000


class Exposures:
    """Reads only. Every call is one transaction and may block; safe between threads."""

    def __init__(self, database: Database) -> None:
        """Take a database whose schema is up to date."""
        self._database = database

    def bring_on(self, evidence: Evidence, salt: str, policy: Policy, now_s: int) -> int:
        """Let ``evidence`` take in all that has become known; return how many batches it was."""
        count = 0
        while True:
            batch = self.batch(salt, policy, evidence.up_to, evidence.modulus)
            if batch.up_to == evidence.up_to:
                return count
            evidence.add(batch, now_s)
            count += 1

    def batch(self, salt: str, policy: Policy, after: int, modulus: int) -> Batch:
        """Return up to :data:`BATCH` requests of a rollout after number ``after``.

        Args:
            salt: Of the candidate.
            policy: Says what is bad.
            after: Number of the last that was counted.
            modulus: Units that it divides are told one by one.
        """
        table = exposures.c
        mine = (table.rollout == salt) & (table.number > after)
        numbers = sa.select(table.number).where(mine).order_by(table.number).limit(BATCH)
        with self._database.read() as connection:
            up_to = connection.execute(
                sa.select(sa.func.max(numbers.subquery().c.number))
            ).scalar_one()
            if up_to is None:
                return Batch(after, (), (), ())
            mine &= table.number <= up_to
            second = table.received_us // sa.literal_column(str(_US), sa.BigInteger)
            by = (table.weight, table.controls, table.slot, second)
            asked = mine & (table.flags < MEASURED)
            totals = sa.select(*by, sa.func.count()).where(asked).group_by(*by)
            found = sa.select(*by[:3], sa.func.count()).where(mine, table.flags >= MEASURED)
            place = (table.unit, table.slot, table.weight, table.controls)
            bad = (
                sa.select(*place, table.received_us, table.latency_us, table.tokens, table.flags)
                .where(mine, _is_bad(policy))
                .order_by(table.number)
            )
            seen = sa.select(*place).where(asked, table.unit % modulus == 0).order_by(table.number)
            return Batch(
                up_to,
                [Total(*row) for row in connection.execute(totals.order_by(*by))],
                [Bad(*row[:4], row[4] // _US, *row[5:]) for row in connection.execute(bad)],
                [Seen(*row) for row in connection.execute(seen)],
                [Measured(*row) for row in connection.execute(found.group_by(*by[:3]))]
                if policy.counts_ungrounded
                else (),
            )

    def last_served_us(self, salt: str, *, is_first: bool = False) -> int:
        """Return when a request last came to the candidate, in microseconds; 0 for never."""
        table = exposures.c
        wanted = sa.select(sa.func.max(table.received_us)).where(
            table.rollout == salt, table.flags < MEASURED
        )
        if not is_first:
            wanted = wanted.where(table.slot.in_((COMPARED, CANDIDATE)))
        with self._database.read() as connection:
            return connection.execute(wanted).scalar_one() or 0


def _is_bad(policy: Policy) -> sa.ColumnElement[bool]:
    table = exposures.c
    wanted = (table.flags != 0) & (table.flags < MEASURED)
    if policy.counts_ungrounded:
        wanted |= table.flags >= MEASURED + UNGROUNDED
    if policy.slow_ms:
        wanted |= table.latency_us > policy.slow_ms * 1000
    if policy.most_tokens:
        wanted |= table.tokens > policy.most_tokens
    return wanted
