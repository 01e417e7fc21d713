"""A message as plain JSON, for programs. Pure."""

from collections.abc import Callable

import msgspec

from steadyhand.alerting.model import Alert, Message


def body(message: Message, link: Callable[[str], str]) -> bytes:
    """Return the message; ``link`` makes an address of a runbook."""
    return msgspec.json.encode(
        {
            "type": "test" if message.is_test else "alerts",
            "made_at_s": message.made_s,
            "firing": message.firing,
            "unlisted": message.unlisted,
            "began": [_alert(one, link) for one in message.began],
            "ended": [_alert(one, link) for one in message.ended],
        }
    )


def _alert(alert: Alert, link: Callable[[str], str]) -> dict[str, object]:
    return {
        "name": alert.name,
        "fingerprint": alert.fingerprint,
        "severity": alert.severity,
        "labels": dict(alert.labels),
        "summary": alert.summary,
        "runbook": link(alert.runbook),
        "since_s": alert.since_s,
    }
