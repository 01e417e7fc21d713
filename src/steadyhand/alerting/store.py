"""What webhooks were told, what waits, and what an Alertmanager said."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from steadyhand.alerting.grouping import Due, Told
from steadyhand.alerting.model import Alert, Message
from steadyhand.alerting.tables import alert_hints, alert_messages, alerts_told
from steadyhand.storage.database import Database

MOST_WAITING: Final = 200
"""Messages that may wait for one webhook; what only ended is dropped before what began."""
KEPT_S: Final = 7 * 86_400
"""Messages that are done, and hints, are shown so long."""
_US: Final = 1_000_000
_decode_alert = msgspec.msgpack.Decoder(Alert).decode
_decode_message = msgspec.msgpack.Decoder(Message).decode


class Delivery(NamedTuple):
    """A message and what has become of it.

    Attributes:
        message: It.
        webhook: Whom it is for.
        state: ``waiting``, ``delivered``, ``dropped`` or ``given_up``.
        attempts: Times that it was sent.
        next_s: When it is sent next, seconds since 1970.
        problem: Why the last try failed.
    """

    message: Message
    webhook: str
    state: str
    attempts: int
    next_s: float
    problem: str


class Hint(NamedTuple):
    """What an Alertmanager said of one alert, and what came of it."""

    fingerprint: str
    began: str
    name: str
    route: str
    status: str
    outcome: str
    heard_s: float


class AlertStore:
    """Every call is one transaction and may block; safe between threads and processes.

    Raises ``DatabaseUnavailable``; nothing of the call is kept then.
    """

    def __init__(self, database: Database) -> None:
        """Take a database whose schema is up to date."""
        self._database = database
        dialect = database.engine.dialect.name
        self._insert = postgresql.insert if dialect == "postgresql" else sqlite.insert

    def told(self, webhook: str) -> Mapping[str, Told]:
        """Return fingerprint → what a webhook was told and not told the end of."""
        wanted = sa.select(alerts_told).where(alerts_told.c.webhook == webhook)
        with self._database.read() as connection:
            return {
                row.fingerprint: Told(_decode_alert(row.alert), row.told_us / _US)
                for row in connection.execute(wanted)
            }

    def queue(self, webhook: str, due: Due) -> int:
        """Let a message wait for its webhook, and count its alerts as told, in one transaction.

        Returns:
            How many messages had to be dropped for it.
        """
        dropped = 0
        with self._database.write() as connection:
            if due.over:
                connection.execute(
                    sa.delete(alerts_told)
                    .where(alerts_told.c.webhook == webhook)
                    .where(alerts_told.c.fingerprint.in_(due.over))
                )
            if due.told:
                insert = self._insert(alerts_told)
                connection.execute(
                    insert.on_conflict_do_update(
                        index_elements=["webhook", "fingerprint"],
                        set_={"told_us": insert.excluded.told_us, "alert": insert.excluded.alert},
                    ),
                    [_told_row(webhook, alert, due.message.made_s) for alert in due.told],
                )
            if due.message.began or due.message.ended or due.message.is_test:
                connection.execute(sa.insert(alert_messages), _message_row(webhook, due.message))
                dropped = _drop(connection, webhook)
            _forget(connection, due.message.made_s)
        return dropped

    def next_of(self, webhook: str) -> Delivery | None:
        """Return the oldest message that waits for a webhook; they are sent in their order."""
        table = alert_messages.c
        wanted = (
            sa.select(alert_messages)
            .where(table.webhook == webhook, table.state == "waiting")
            .order_by(table.made_us, table.id)
            .limit(1)
        )
        with self._database.read() as connection:
            row = connection.execute(wanted).one_or_none()
        return None if row is None else _delivery(row)

    def settle(self, id_: str, state: str, problem: str = "", next_s: float = 0.0) -> None:
        """Note what came of a try: ``delivered``, ``given_up``, or ``waiting`` until ``next_s``."""
        table = alert_messages.c
        with self._database.write() as connection:
            connection.execute(
                sa.update(alert_messages)
                .where(table.id == id_)
                .values(
                    state=state,
                    problem=problem,
                    next_us=round(next_s * _US),
                    attempts=table.attempts + 1,
                )
            )

    def deliveries(self, *, limit: int = 100) -> Sequence[Delivery]:
        """Return messages, newest first."""
        table = alert_messages.c
        wanted = sa.select(alert_messages).order_by(sa.desc(table.made_us)).limit(limit)
        with self._database.read() as connection:
            return [_delivery(row) for row in connection.execute(wanted)]

    def delivery(self, id_: str) -> Delivery | None:
        """Return one message; ``None`` if there is none of that id."""
        wanted = sa.select(alert_messages).where(alert_messages.c.id == id_)
        with self._database.read() as connection:
            row = connection.execute(wanted).one_or_none()
        return None if row is None else _delivery(row)

    def waiting(self) -> Mapping[str, tuple[int, float]]:
        """Return webhook → how many messages wait for it, and when the oldest was made."""
        table = alert_messages.c
        wanted = (
            sa.select(table.webhook, sa.func.count(), sa.func.min(table.made_us))
            .where(table.state == "waiting")
            .group_by(table.webhook)
        )
        with self._database.read() as connection:
            rows = connection.execute(wanted).all()
        return {webhook: (count, oldest / _US) for webhook, count, oldest in rows}

    def hear(self, hint: Hint) -> bool:
        """Keep a hint; return whether this is the first time that it is heard as it is."""
        table = alert_hints.c
        known = sa.select(table.status).where(
            table.fingerprint == hint.fingerprint, table.began == hint.began
        )
        insert = self._insert(alert_hints).values(
            fingerprint=hint.fingerprint,
            began=hint.began,
            name=hint.name,
            route=hint.route,
            status=hint.status,
            outcome=hint.outcome,
            heard_us=round(hint.heard_s * _US),
        )
        changed = {name: insert.excluded[name] for name in ("status", "outcome", "heard_us")}
        with self._database.write() as connection:
            before = connection.execute(known).scalar_one_or_none()
            connection.execute(
                insert.on_conflict_do_update(index_elements=["fingerprint", "began"], set_=changed)
            )
        return before != hint.status

    def hints(self, *, limit: int = 100) -> Sequence[Hint]:
        """Return what was heard, newest first."""
        wanted = sa.select(alert_hints).order_by(sa.desc(alert_hints.c.heard_us)).limit(limit)
        with self._database.read() as connection:
            return [
                Hint(
                    row.fingerprint,
                    row.began,
                    row.name,
                    row.route,
                    row.status,
                    row.outcome,
                    row.heard_us / _US,
                )
                for row in connection.execute(wanted)
            ]


def _told_row(webhook: str, alert: Alert, at_s: float) -> dict[str, object]:
    return {
        "webhook": webhook,
        "fingerprint": alert.fingerprint,
        "told_us": round(at_s * _US),
        "alert": msgspec.msgpack.encode(alert),
    }


def _message_row(webhook: str, message: Message) -> dict[str, object]:
    return {
        "id": message.id,
        "webhook": webhook,
        "state": "waiting",
        "is_urgent": int(message.is_urgent),
        "made_us": round(message.made_s * _US),
        "next_us": round(message.made_s * _US),
        "attempts": 0,
        "problem": "",
        "message": msgspec.msgpack.encode(message),
    }


def _drop(connection: sa.Connection, webhook: str) -> int:
    """Drop what is past :data:`MOST_WAITING`: what only ended first, then the oldest."""
    table = alert_messages.c
    waiting = sa.and_(table.webhook == webhook, table.state == "waiting")
    count = connection.execute(
        sa.select(sa.func.count()).select_from(alert_messages).where(waiting)
    ).scalar_one()
    past = max(0, count - MOST_WAITING)
    if past:
        least = sa.select(table.id).where(waiting).order_by(table.is_urgent, table.made_us)
        connection.execute(
            sa.update(alert_messages)
            .where(table.id.in_(least.limit(past)))
            .values(state="dropped", problem="too many wait")
        )
    return int(past)


def _forget(connection: sa.Connection, now_s: float) -> None:
    before_us = round((now_s - KEPT_S) * _US)
    table = alert_messages.c
    connection.execute(
        sa.delete(alert_messages).where(table.state != "waiting", table.made_us < before_us)
    )
    connection.execute(sa.delete(alert_hints).where(alert_hints.c.heard_us < before_us))


def _delivery(row: sa.Row[tuple[object, ...]]) -> Delivery:
    return Delivery(
        _decode_message(row.message),
        row.webhook,
        row.state,
        row.attempts,
        row.next_us / _US,
        row.problem,
    )
