"""The messages of the registry's commits: what ``git log`` tells, and what machines read. Pure.

A subject in words, a paragraph if there is something to say, then trailers as Git knows them.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from steadyhand.registry.ports import Version

_TRAILER: Final = re.compile(r"(?m)^Steadyhand-([A-Za-z]+): (.*)$")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")
MAX_NOTE: Final = 2_000


class Story(NamedTuple):
    """What a commit does.

    Attributes:
        action: By name: ``release``, ``approve``, ``promote``, ``try``, ``give-up``, ``roll-back``,
            ``revoke``, ``ask-waiver``, ``waive``, ``environments``.
        subject: First line.
        note: What the principal wants to be read, or empty.
        principal: Who did it.
        digest: Of the release it is about.
        route: Of the release.
        environment: Where, or empty.
    """

    action: str
    subject: str
    principal: str
    digest: str
    route: str
    environment: str = ""
    note: str = ""


def message(story: Story) -> str:
    """Return the commit message of ``story``; a note cannot forge a trailer."""
    trailers = {
        "Action": story.action,
        "Principal": story.principal,
        "Digest": story.digest,
        "Route": story.route,
        "Environment": story.environment,
    }
    said = "\n".join(
        f"Steadyhand-{key}: {_line(value)}" for key, value in trailers.items() if value
    )
    note = "\n".join(
        f"> {_line(line)}" for line in story.note[:MAX_NOTE].splitlines() if line.strip()
    )
    return "\n\n".join(part for part in (_line(story.subject), note, said) if part) + "\n"


def trailers(text: str) -> dict[str, str]:
    """Return key → value of a message's trailers, in lower case; those of its last paragraph."""
    last = text.rstrip("\n").rpartition("\n\n")[2]
    return {key.lower(): value for key, value in _TRAILER.findall(last)}


def changelog(title: str, versions: Sequence[tuple[Version, str]]) -> str:
    """Return a change log in Markdown of a channel's versions, newest first.

    Args:
        title: Of the page.
        versions: Each with the channel in words.
    """
    lines = [f"# {title}", ""]
    lines += [
        f"- {_day(version.time_s)} **{_line(version.subject)}**, by {_line(version.author)}: "
        f"{words} (`{version.commit[:10]}`)"
        for version, words in versions
    ]
    return (
        "\n".join([*lines, *([] if versions else ["Nothing has been released here yet."])]) + "\n"
    )


def _line(text: str) -> str:
    return _CONTROL.sub(" ", text).strip()


def _day(time_s: int) -> str:
    return datetime.fromtimestamp(time_s, UTC).date().isoformat()
