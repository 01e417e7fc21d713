"""Where rollouts are, what they saw, what went wrong: in SQL, so that any controller goes on."""

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from steadyhand.core.errors import NotFound, SteadyhandError
from steadyhand.rollouts.certificate import Look
from steadyhand.rollouts.incident import Incident
from steadyhand.rollouts.model import Rollout
from steadyhand.rollouts.tables import drains, incidents, leases, rollout_looks, rollouts
from steadyhand.storage.database import Database, DatabaseUnavailable


class RolloutMissing(NotFound):
    """There is no rollout, or no incident, of that id."""

    code = "rollout_missing"


class RolloutOpen(SteadyhandError):
    """The channel has a rollout already; one at a time."""

    code, status = "rollout_open", 409


class RolloutChanged(SteadyhandError):
    """Somebody else has moved the rollout meanwhile; read it and decide again."""

    code, status, retryable = "rollout_changed", 409, True


class Held(msgspec.Struct, frozen=True):
    """A rollout as it is stored.

    Attributes:
        rollout: It.
        version: Grows with each change; a change must name the one that it was decided on.
    """

    rollout: Rollout
    version: int


class RolloutStore:
    """Every call is one transaction and may block; safe between threads and processes."""

    def __init__(self, database: Database) -> None:
        """Take a database whose schema is up to date."""
        self._database = database

    def begin(self, rollout: Rollout) -> Held:
        """Store a new one.

        Raises:
            RolloutOpen: Its channel has one that is open.
        """
        place = f"{rollout.environment}/{rollout.route}"
        row = {
            "id": rollout.id,
            "route": rollout.route,
            "environment": rollout.environment,
            "open_place": place,
            "phase": rollout.phase,
            "version": 1,
            "opened_us": rollout.opened_us,
            "ended_us": 0,
            "state": msgspec.json.encode(rollout),
        }
        try:
            with self._database.write() as connection:
                connection.execute(sa.insert(rollouts).values(row))
        except DatabaseUnavailable as error:
            if isinstance(error.__cause__, IntegrityError):
                raise RolloutOpen(
                    f"a rollout is open in {place}",
                    hint="steadyhand rollout list --open; one at a time in each channel",
                ) from error
            raise
        return Held(rollout, 1)

    def save(self, held: Held, rollout: Rollout) -> Held:
        """Store what has become of one.

        Raises:
            RolloutChanged: It is not as it was when this was decided.
        """
        version = held.version + 1
        values: dict[str, object] = {
            "phase": rollout.phase,
            "version": version,
            "ended_us": rollout.ended_us,
            "state": msgspec.json.encode(rollout),
        }
        if rollout.phase == "ended":
            values["open_place"] = None
        mine = (rollouts.c.id == rollout.id) & (rollouts.c.version == held.version)
        with self._database.write() as connection:
            if not connection.execute(sa.update(rollouts).where(mine).values(values)).rowcount:
                raise RolloutChanged(f"rollout {rollout.id} was changed by somebody else")
        return Held(rollout, version)

    def get(self, id_: str) -> Held:
        """Return one; its first characters suffice.

        Raises:
            RolloutMissing: There is none, or there are several.
        """
        wanted = sa.select(rollouts.c.state, rollouts.c.version).where(
            rollouts.c.id.startswith(id_, autoescape=True)
        )
        with self._database.read() as connection:
            rows = connection.execute(wanted.limit(2)).all()
        if len(rows) != 1 or not id_:
            raise RolloutMissing(
                f"no one rollout has the id {id_[:40]!r}", hint="steadyhand rollout list"
            )
        return _held(rows[0])

    def list(self, *, is_open: bool = False, limit: int = 50) -> Sequence[Rollout]:
        """Return rollouts, newest first."""
        wanted = sa.select(rollouts.c.state, rollouts.c.version)
        if is_open:
            wanted = wanted.where(rollouts.c.open_place.is_not(None))
        ordered = wanted.order_by(rollouts.c.opened_us.desc(), rollouts.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            return [_held(row).rollout for row in connection.execute(ordered)]

    def open_ones(self) -> Sequence[Held]:
        """Return those that are not over, oldest first."""
        wanted = (
            sa.select(rollouts.c.state, rollouts.c.version)
            .where(rollouts.c.open_place.is_not(None))
            .order_by(rollouts.c.opened_us, rollouts.c.id)
        )
        with self._database.read() as connection:
            return [_held(row) for row in connection.execute(wanted)]

    def taken_back_since(self, environment: str, route: str, since_us: int) -> Sequence[Rollout]:
        """Return what was taken back by evidence in a channel since then, newest first."""
        wanted = sa.select(rollouts.c.state, rollouts.c.version).where(
            rollouts.c.environment == environment,
            rollouts.c.route == route,
            rollouts.c.ended_us >= since_us,
        )
        with self._database.read() as connection:
            found = [_held(row).rollout for row in connection.execute(wanted)]
        mine = [one for one in found if one.outcome == "rolled_back" and not one.by]
        return sorted(mine, key=lambda one: one.ended_us, reverse=True)

    def add_look(self, id_: str, number: int, look: Look) -> None:
        """Store what was seen; the same number again is left as it is."""
        row = {
            "rollout": id_,
            "number": number,
            "at_us": look.at_us,
            "look": msgspec.json.encode(look),
        }
        there = (rollout_looks.c.rollout == id_) & (rollout_looks.c.number == number)
        with self._database.write() as connection:
            if connection.execute(sa.select(rollout_looks.c.number).where(there)).first() is None:
                connection.execute(sa.insert(rollout_looks).values(row))

    def looks(self, id_: str) -> Sequence[Look]:
        """Return what was seen, oldest first."""
        wanted = (
            sa.select(rollout_looks.c.look)
            .where(rollout_looks.c.rollout == id_)
            .order_by(rollout_looks.c.number)
        )
        with self._database.read() as connection:
            return [
                msgspec.json.decode(look, type=Look)
                for look in connection.execute(wanted).scalars()
            ]

    def last_look(self, id_: str) -> tuple[int, Look | None]:
        """Return the number of the last look and what was seen; 0 and ``None`` before the first."""
        wanted = (
            sa.select(rollout_looks.c.number, rollout_looks.c.look)
            .where(rollout_looks.c.rollout == id_)
            .order_by(rollout_looks.c.number.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            row = connection.execute(wanted).one_or_none()
        return (0, None) if row is None else (row[0], msgspec.json.decode(row[1], type=Look))

    def put_incident(self, incident: Incident) -> None:
        """Store an incident, or what has become of it."""
        values = {
            "rollout": incident.rollout,
            "opened_us": incident.opened_us,
            "closed_us": incident.closed_us,
            "incident": msgspec.json.encode(incident),
        }
        mine = incidents.c.id == incident.id
        with self._database.write() as connection:
            if not connection.execute(sa.update(incidents).where(mine).values(values)).rowcount:
                connection.execute(sa.insert(incidents).values(id=incident.id, **values))

    def incidents(self, id_: str = "", limit: int = 50) -> Sequence[Incident]:
        """Return incidents, newest first; those of one id, if told."""
        wanted = sa.select(incidents.c.incident).order_by(incidents.c.opened_us.desc())
        if id_:
            wanted = wanted.where(incidents.c.id == id_)
        with self._database.read() as connection:
            return [
                msgspec.json.decode(found, type=Incident)
                for found in connection.execute(wanted.limit(limit)).scalars()
            ]

    def drain(self, rollout: Rollout, since_us: int, reason: str) -> None:
        """Take a candidate off before Git says so."""
        row = {"salt": rollout.salt, "rollout": rollout.id, "since_us": since_us, "reason": reason}
        with self._database.write() as connection:
            mine = drains.c.salt == rollout.salt
            if connection.execute(sa.select(drains.c.salt).where(mine)).first() is None:
                connection.execute(sa.insert(drains).values(row))

    def undrain(self, salt: str) -> None:
        """End an override, because Git agrees."""
        with self._database.write() as connection:
            connection.execute(sa.delete(drains).where(drains.c.salt == salt))

    def drained(self) -> frozenset[str]:
        """Return the salts of candidates that are taken off."""
        with self._database.read() as connection:
            return frozenset(connection.execute(sa.select(drains.c.salt)).scalars())

    def take_lease(self, name: str, holder: str, now_us: int, for_us: int) -> bool:
        """Take or keep the lease ``name``; tell whether ``holder`` has it for ``for_us`` now."""
        mine = leases.c.name == name
        with self._database.write() as connection:
            row = connection.execute(
                sa.select(leases.c.holder, leases.c.until_us).where(mine).with_for_update()
            ).one_or_none()
            until_us = now_us + for_us
            if row is None:
                connection.execute(
                    sa.insert(leases).values(name=name, holder=holder, until_us=until_us)
                )
                return True
            # A time further ahead than any lease is of a clock that was set back.
            if row.holder != holder and now_us < row.until_us <= until_us:
                return False
            values = {"holder": holder, "until_us": until_us}
            connection.execute(sa.update(leases).where(mine).values(values))
        return True


def _held(row: Any) -> Held:
    return Held(msgspec.json.decode(row[0], type=Rollout), row[1])
