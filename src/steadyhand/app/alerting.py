"""What the control process needs of alerts: who is told, now; and one sender for each webhook."""

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from time import time

from steadyhand.alerting.model import Alert
from steadyhand.alerting.notifier import PAUSE_S, Notifier
from steadyhand.alerting.settings import AlertSettings, WebhookSettings
from steadyhand.alerting.store import AlertStore
from steadyhand.app.state import secret_resolver
from steadyhand.core.errors import SteadyhandError
from steadyhand.objectives.evaluation import Alert as Found
from steadyhand.settings.alerts import load_alerts
from steadyhand.settings.model import Settings
from steadyhand.settings.problems import InvalidWorkspace
from steadyhand.settings.sections import FILE
from steadyhand.storage.database import Database

logger = logging.getLogger(__name__)

WAIT_S = 5.0
"""After the database did not answer."""


class AlertsReader:
    """``[alerts]`` as the file says now; read again only when it has changed.

    While it has mistakes, who was told is told.
    """

    def __init__(self, settings: Settings) -> None:
        """Take what was read at the start."""
        self._file: Path = settings.workspace / FILE
        self._held = settings.alerts
        self._seen = _stamp(self._file)

    def __call__(self) -> AlertSettings:
        """Return it."""
        seen = _stamp(self._file)
        if seen != self._seen:
            self._seen = seen
            try:
                self._held = load_alerts(self._file.parent, os.environ)
            except InvalidWorkspace as error:
                for problem in error.problems:
                    logger.error("alerts not taken over: %s", problem.text())  # noqa: TRY400
        return self._held

    def webhooks(self) -> Sequence[WebhookSettings]:
        """Return who is told."""
        return self().webhooks

    def link(self, runbook: str) -> str:
        """Return the address of a runbook; its place in the documentation if there is none."""
        base = self().docs_url
        return f"{base}{runbook}" if base else runbook


def notifier_of(settings: Settings, database: Database) -> Notifier:
    """Return what tells the webhooks of a workspace."""
    reader = AlertsReader(settings)
    secret = secret_resolver(settings.workspace, os.environ)
    return Notifier(reader.webhooks, AlertStore(database), secret, reader.link, time)


def teller_of(notifier: Notifier) -> Callable[[Sequence[Found]], None]:
    """Return what takes the alerts of the objectives, and tells those that fire."""

    def told(found: Sequence[Found]) -> None:
        try:
            notifier.tell([_alert(one) for one in found if one.state == "firing"])
        except SteadyhandError as error:
            logger.warning("alerts wait: %s", error)

    return told


async def deliver_for_ever(notifier: Notifier) -> None:
    """Send what waits, each webhook by itself, so that one that is slow keeps no other waiting."""
    senders: dict[str, asyncio.Task[None]] = {}
    try:
        while True:
            wanted = set(notifier.names())
            for name in senders.keys() - wanted:
                senders.pop(name).cancel()
            for name in wanted - senders.keys():
                senders[name] = asyncio.create_task(_deliver(notifier, name), name=f"to {name}")
            await asyncio.sleep(PAUSE_S)
    finally:
        for task in senders.values():
            task.cancel()


async def _deliver(notifier: Notifier, name: str) -> None:
    while True:
        try:
            pause_s = await asyncio.to_thread(notifier.deliver, name)
        except SteadyhandError as error:
            logger.warning("messages to %s wait: %s", name, error)
            pause_s = WAIT_S
        await asyncio.sleep(pause_s)


def _alert(found: Found) -> Alert:
    return Alert(
        found.name,
        "page" if found.severity == "page" else "ticket",
        (("route", found.key.route), ("objective", found.key.kind)),
        found.summary,
        found.runbook,
        found.since_s,
    )


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
