"""A message as Slack's incoming webhooks take it, and Mattermost's and others'. Pure.

Slack reads ``<!channel>``, ``<@U…>`` and links in texts, and a label may come from anywhere: ``&``,
``<`` and ``>`` are escaped as its documentation says (api.slack.com/reference/surfaces/formatting),
which leaves nothing of them.
"""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from steadyhand.alerting.model import Alert, Message, shortened

MOST_BLOCK: Final = 2_900
"""Characters of a section; Slack refuses more than 3,000."""
_PLAIN: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "*": "·", "`": "'"})


def body(message: Message, link: Callable[[str], str]) -> bytes:
    """Return the message; ``link`` makes an address of a runbook."""
    lines = [
        _line(alert, link, "🔴" if alert.severity == "page" else "🟡") for alert in message.began
    ]
    lines += [_line(alert, link, "🟢 over:") for alert in message.ended]
    if message.unlisted:
        lines.append(f"… and {message.unlisted} more")
    blocks = [
        {"type": "section", "text": {"type": "mrkdwn", "text": text}} for text in _blocks(lines)
    ]
    return msgspec.json.encode({"text": _headline(message), "blocks": blocks})


def _headline(message: Message) -> str:
    if message.is_test:
        return "Steadyhand: a test message; nothing is wrong"
    if message.began:
        first = message.began[0]
        more = len(message.began) + message.unlisted - 1
        rest = f" (and {more} more)" if more else ""
        return f"Steadyhand: {_plain(first.summary)}{rest}"
    return f"Steadyhand: {len(message.ended)} over, {message.firing} still firing"


def _line(alert: Alert, link: Callable[[str], str], mark: str) -> str:
    target = link(alert.runbook)
    runbook = f"<{target}|runbook>" if target.startswith("http") else f"`{target}`"
    return f"{mark} *{_plain(alert.name)}* {_plain(alert.summary)} {runbook}"


def _plain(text: str) -> str:
    return shortened(text).translate(_PLAIN)


def _blocks(lines: Sequence[str]) -> Sequence[str]:
    found: list[str] = []
    for line in lines or ["Nothing is wrong."]:
        if found and len(found[-1]) + len(line) < MOST_BLOCK:
            found[-1] = f"{found[-1]}\n{line}"
        else:
            found.append(line)
    return found
