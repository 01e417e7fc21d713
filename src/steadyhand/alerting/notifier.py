"""Tells webhooks what fires: lets it wait in SQL, and sends it until it is taken."""

import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from threading import Lock
from typing import Final, NamedTuple

from steadyhand.alerting.grouping import Due, due
from steadyhand.alerting.model import Alert, Message
from steadyhand.alerting.retrying import is_given_up, next_try_s
from steadyhand.alerting.sending import Sent, check_address, send
from steadyhand.alerting.settings import WebhookSettings
from steadyhand.alerting.signature import sign
from steadyhand.alerting.store import AlertStore, Delivery
from steadyhand.core.errors import NotFound, SteadyhandError

PAUSE_S: Final = 0.5
"""Between two looks for messages of a webhook that has none."""


class WebhookMissing(NotFound):
    """There is no webhook of that name."""

    code = "webhook_missing"


class Counts(NamedTuple):
    """What is scraped.

    Attributes:
        messages: (webhook, result) → number.
        waiting: Webhook → how many messages wait, and when the oldest was made.
        firing: Severity → alerts that fire.
    """

    messages: Mapping[tuple[str, str], int]
    waiting: Mapping[str, tuple[int, float]]
    firing: Mapping[str, int]


class Notifier:
    """The webhooks of one control process. Calls block and may come from several threads."""

    def __init__(
        self,
        webhooks: Callable[[], Sequence[WebhookSettings]],
        store: AlertStore,
        secret: Callable[[str], str],
        link: Callable[[str], str],
        clock: Callable[[], float],
    ) -> None:
        """Take the parts.

        Args:
            webhooks: Returns who is told, as it stands now.
            store: Where messages wait.
            secret: Turns a reference into a secret.
            link: Turns the place of a runbook into an address.
            clock: Wall clock, seconds since 1970.
        """
        self._webhooks = webhooks
        self._store = store
        self._secret = secret
        self._link = link
        self._clock = clock
        self._lock = Lock()
        self._seen: dict[str, float] = {}
        self._firing: Sequence[Alert] = ()
        self._messages: Counter[tuple[str, str]] = Counter()

    def tell(self, firing: Sequence[Alert]) -> None:
        """Take all alerts that fire now; let wait what has to be said of them.

        Raises:
            DatabaseUnavailable: The next call says it.
        """
        now_s = self._clock()
        with self._lock:
            self._firing = firing
            marks = {alert.fingerprint for alert in firing}
            self._seen = {mark: self._seen.get(mark, now_s) for mark in marks}
            for webhook in self._webhooks():
                told = self._store.told(webhook.name)
                found = due(webhook.terms(), firing, told, self._seen, _new_id(), now_s)
                if found is not None:
                    self._queue(webhook.name, found)

    def test(self, name: str) -> str:
        """Let a test message wait for a webhook; return its id.

        Raises:
            WebhookMissing: There is none of that name.
            DatabaseUnavailable: Nothing waits.
        """
        self._find(name)
        message = Message(_new_id(), self._clock(), (), (), is_test=True)
        self._queue(name, Due(message, (), ()))
        return message.id

    def deliver(self, name: str) -> float:
        """Send the oldest message that waits for a webhook, if it is due.

        Returns:
            Seconds until the next call is worth it.

        Raises:
            DatabaseUnavailable: What came of it is not known; it is sent again, with the same id.
        """
        waiting = self._store.next_of(name)
        if waiting is None:
            return PAUSE_S
        now_s = self._clock()
        if now_s < waiting.next_s:
            return min(PAUSE_S, waiting.next_s - now_s)
        sent = self._send(waiting)
        if not sent.problem:
            self._settle(waiting, "delivered")
        elif is_given_up(waiting.message.made_s, now_s):
            self._settle(waiting, "given_up", sent.problem)
        else:
            draw = secrets.randbelow(1_000) / 1_000
            next_s = next_try_s(waiting.attempts + 1, self._clock(), sent.wish_s, draw)
            self._settle(waiting, "waiting", sent.problem, next_s)
        return 0.0

    def names(self) -> Sequence[str]:
        """Return the names of the webhooks."""
        return [one.name for one in self._webhooks()]

    @property
    def firing(self) -> Sequence[Alert]:
        """All alerts that fire, as they were told last."""
        return self._firing

    def counts(self) -> Counts:
        """Return what is scraped.

        Raises:
            DatabaseUnavailable: What waits is not known.
        """
        waiting = self._store.waiting()
        shown = {one.name: waiting.get(one.name, (0, 0.0)) for one in self._webhooks()}
        firing = Counter(alert.severity for alert in self._firing)
        return Counts(
            dict(self._messages), shown, {"page": firing["page"], "ticket": firing["ticket"]}
        )

    def _queue(self, name: str, found: Due) -> None:
        dropped = self._store.queue(name, found)
        self._messages[name, "dropped"] += dropped

    def _send(self, waiting: Delivery) -> Sent:
        try:
            webhook = self._find(waiting.webhook)
            url = self._secret(webhook.url)
            check_address(url)
            body = self._body(webhook, waiting.message)
            headers = self._headers(webhook, waiting.message.id, body)
        except (SteadyhandError, ValueError) as error:
            return Sent(str(error)[:200])
        return send(url, body, headers, webhook.timeout_s)

    def _body(self, webhook: WebhookSettings, message: Message) -> bytes:
        made: bytes = import_module(f"steadyhand.alerting.formats.{webhook.format}").body(
            message, self._link
        )
        return made

    def _headers(self, webhook: WebhookSettings, id_: str, body: bytes) -> Mapping[str, str]:
        stamp_s = int(self._clock())
        headers = {"webhook-id": id_, "webhook-timestamp": str(stamp_s)}
        if webhook.secret is not None:
            headers["webhook-signature"] = sign(self._secret(webhook.secret), id_, stamp_s, body)
        return headers

    def _settle(self, waiting: Delivery, state: str, problem: str = "", next_s: float = 0) -> None:
        self._store.settle(waiting.message.id, state, problem, next_s)
        self._messages[waiting.webhook, "failed" if state == "waiting" else state] += 1

    def _find(self, name: str) -> WebhookSettings:
        for webhook in self._webhooks():
            if webhook.name == name:
                return webhook
        known = ", ".join(one.name for one in self._webhooks()) or "none"
        raise WebhookMissing(f"there is no webhook {name!r}", hint=f"webhooks: {known}")


def _new_id() -> str:
    return f"msg_{secrets.token_hex(12)}"
