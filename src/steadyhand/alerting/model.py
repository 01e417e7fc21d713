"""Alerts, and the messages that carry them. Pure."""

from hashlib import sha256
from typing import Final, Literal

import msgspec

Severity = Literal["page", "ticket"]

MOST_LISTED: Final = 20
"""Alerts that a message lists by name; of more it tells the number."""
MOST_TEXT: Final = 300
"""Characters of a label or a summary; they may come from anywhere."""


class Alert(msgspec.Struct, frozen=True):
    """Something that is wrong.

    Attributes:
        name: Of its rule.
        severity: ``page`` wants someone now, ``ticket`` within the day.
        labels: Name and value, what it is about; with ``name``, what makes it this one.
        summary: One sentence.
        runbook: Where it says what to do.
        since_s: Since when it is so, seconds since 1970.
    """

    name: str
    severity: Severity
    labels: tuple[tuple[str, str], ...]
    summary: str
    runbook: str
    since_s: float

    @property
    def fingerprint(self) -> str:
        """What makes it this alert, in sixteen digits."""
        return sha256(msgspec.json.encode([self.name, sorted(self.labels)])).hexdigest()[:16]


class Message(msgspec.Struct, frozen=True):
    """What one webhook is told at once.

    Attributes:
        id: Stays the same however often it is sent, so that a receiver can tell.
        made_s: Seconds since 1970.
        began: Alerts that fire, at most :data:`MOST_LISTED` of them.
        ended: Alerts that do not fire any more, as many.
        unlisted: Alerts beside those.
        firing: Alerts that fire now, in all.
        is_test: Whether somebody only tries the way.
    """

    id: str
    made_s: float
    began: tuple[Alert, ...]
    ended: tuple[Alert, ...]
    unlisted: int = 0
    firing: int = 0
    is_test: bool = False

    @property
    def is_urgent(self) -> bool:
        """Whether it tells of something that began: what only ended may be dropped first."""
        return bool(self.began) or self.is_test


def shortened(text: str) -> str:
    """Return a text without control characters, not longer than :data:`MOST_TEXT`."""
    plain = "".join(character if character.isprintable() else " " for character in text)
    return plain if len(plain) <= MOST_TEXT else f"{plain[: MOST_TEXT - 1]}…"
