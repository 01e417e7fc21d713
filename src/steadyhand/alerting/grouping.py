"""What a webhook is to be told now. Pure: the clock is passed in.

Alerts are states, not events: each look brings all that fire, and what was told before decides what
is new, what is over, and what has gone on so long that it is told again. So nothing is told twice
and nothing is missed, whenever this process was last alive. An alert that begins waits a moment
for others, so that a storm is one message.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from steadyhand.alerting.model import MOST_LISTED, Alert, Message, Severity


class Terms(NamedTuple):
    """What a webhook wants.

    Attributes:
        severities: Of the alerts that it is told.
        tells_end: Whether it is told that one is over.
        group_wait_s: How long the first new alert waits for others.
        repeat_s: After how long one that goes on is told again.
    """

    severities: frozenset[Severity]
    tells_end: bool
    group_wait_s: float
    repeat_s: float


class Told(NamedTuple):
    """What a webhook was told of an alert.

    Attributes:
        alert: As it was told.
        at_s: When.
    """

    alert: Alert
    at_s: float


class Due(NamedTuple):
    """What is to be said.

    Attributes:
        message: It.
        told: Alerts that count as told with it.
        over: Fingerprints that are forgotten with it.
    """

    message: Message
    told: Sequence[Alert]
    over: Sequence[str]


def due(
    terms: Terms,
    firing: Sequence[Alert],
    told: Mapping[str, Told],
    first_seen_s: Mapping[str, float],
    id_: str,
    now_s: float,
) -> Due | None:
    """Return what has to be said now, ``None`` for nothing.

    Args:
        terms: What the webhook wants.
        firing: All alerts that fire now.
        told: Fingerprint → what it was told; only of alerts that it was not told the end of.
        first_seen_s: Fingerprint → when an alert was first seen to fire.
        id_: Of the message, if there is one.
        now_s: Seconds since 1970.
    """
    here = {alert.fingerprint: alert for alert in firing if alert.severity in terms.severities}
    new = [mark for mark in here if mark not in told]
    again = [
        mark for mark in here if mark in told and not 0 <= now_s - told[mark].at_s < terms.repeat_s
    ]
    over = [mark for mark in told if mark not in here]
    waits = new and now_s - min(first_seen_s.get(mark, now_s) for mark in new) < terms.group_wait_s
    if waits:
        new = []
    began = sorted((here[mark] for mark in (*new, *again)), key=_most_urgent_first)
    ended = [told[mark].alert for mark in over] if terms.tells_end else []
    if not began and not ended:
        return Due(Message(id_, now_s, (), ()), (), over) if over else None
    listed = tuple(began[:MOST_LISTED]), tuple(ended[:MOST_LISTED])
    unlisted = len(began) + len(ended) - len(listed[0]) - len(listed[1])
    message = Message(id_, now_s, *listed, unlisted, len(here))
    return Due(message, began, over)


def _most_urgent_first(alert: Alert) -> tuple[bool, float]:
    return alert.severity != "page", alert.since_s
