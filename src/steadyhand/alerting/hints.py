"""What an Alertmanager tells: a hint, which is looked into and never believed.

A webhook that could roll back by itself would be a way to take releases down for whoever can reach
it, and rules in Prometheus know nothing of slices. So an alert about a route with an open rollout
makes the rollout's controller look at its own evidence at once, and that decides. Everything else
is kept and shown.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec

from steadyhand.alerting.model import shortened
from steadyhand.alerting.store import AlertStore, Hint
from steadyhand.core.errors import InvalidRequest

MOST_ALERTS: Final = 1_000
MOST_BYTES: Final = 1 << 20
_MOST_KEY: Final = 100


class _Told(msgspec.Struct):
    status: str = ""
    labels: dict[str, str] = {}
    startsAt: str = ""  # noqa: N815 - Alertmanager's names
    fingerprint: str = ""


class _Payload(msgspec.Struct):
    """Version 4 of Alertmanager's webhook (prometheus.io/docs/alerting/latest/configuration)."""

    alerts: list[_Told]
    version: str = ""


class Verified(NamedTuple):
    """What came of one alert.

    Attributes:
        name: Of the alert.
        route: That it is about; empty for none.
        outcome: ``looked``, ``no_rollout``, ``no_route``, ``known`` (told before) or ``over``.
        verdict: What the rollout's own evidence says, in words; empty without a rollout.
    """

    name: str
    route: str
    outcome: str
    verdict: str


_decode = msgspec.json.Decoder(_Payload).decode


class Hints:
    """Takes hints. Calls block."""

    def __init__(
        self,
        store: AlertStore,
        look: Callable[[str], str | None],
        tell: Callable[[Verified], None],
        clock: Callable[[], float],
    ) -> None:
        """Take the parts.

        Args:
            store: Where hints are kept.
            look: Has the open rollout of a route looked at, and returns what its evidence says;
                ``None`` if there is none.
            tell: Told of each that is new.
            clock: Wall clock, seconds since 1970.
        """
        self._store = store
        self._look = look
        self._tell = tell
        self._clock = clock
        self.outcomes: Counter[str] = Counter()

    def hear(self, body: bytes) -> Sequence[Verified]:
        """Take a webhook's body; return what came of each alert.

        Raises:
            InvalidRequest: It is not what an Alertmanager sends, or too many alerts.
            DatabaseUnavailable: It is not kept; Alertmanager tries again.
        """
        try:
            told = _decode(body).alerts
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidRequest(
                f"this is not what an Alertmanager sends: {error}",
                hint="webhook_configs of Alertmanager 0.25 or later send version 4",
            ) from error
        if len(told) > MOST_ALERTS:
            raise InvalidRequest(
                f"{len(told)} alerts at once are more than {MOST_ALERTS}",
                hint="set max_alerts in webhook_configs",
            )
        return [self._verified(one) for one in told]

    def _verified(self, told: _Told) -> Verified:
        name = shortened(told.labels.get("alertname", ""))[:_MOST_KEY]
        route = shortened(told.labels.get("route", ""))[:_MOST_KEY]
        mark = shortened(told.fingerprint)[:_MOST_KEY] or f"{name}/{route}"
        status = "resolved" if told.status == "resolved" else "firing"
        hint = Hint(
            mark, shortened(told.startsAt)[:_MOST_KEY], name, route, status, "", self._clock()
        )
        is_new = self._store.hear(hint)
        found = self._outcome(hint, is_new=is_new)
        self._store.hear(hint._replace(outcome=found.outcome))
        self.outcomes[found.outcome] += 1
        if is_new:
            self._tell(found)
        return found

    def _outcome(self, hint: Hint, *, is_new: bool) -> Verified:
        if not is_new:
            return Verified(hint.name, hint.route, "known", "")
        if hint.status == "resolved":
            return Verified(hint.name, hint.route, "over", "")
        if not hint.route:
            return Verified(hint.name, hint.route, "no_route", "")
        verdict = self._look(hint.route)
        outcome = "no_rollout" if verdict is None else "looked"
        return Verified(hint.name, hint.route, outcome, verdict or "")
