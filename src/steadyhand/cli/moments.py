"""Points in time as people type them: ``15m`` ago, or ISO 8601."""

import re
from datetime import UTC, datetime, timedelta

from steadyhand.cli.errors import Usage

UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
AGO = re.compile(r"(\d{1,9})([smhdw])")


def moment(text: str, now: datetime, option: str) -> str:
    """Return ``text`` as ISO 8601 in UTC; without a zone it is taken as local time.

    Raises:
        Usage: It is neither an age (``90s``, ``15m``, ``2h``, ``7d``) nor ISO 8601.
    """
    try:
        ago = AGO.fullmatch(text.strip())
        if ago:
            when = now - timedelta(seconds=int(ago[1]) * UNITS_S[ago[2]])
        else:
            when = datetime.fromisoformat(text.strip())
        return when.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError) as error:
        raise Usage(
            f"{option} {text!r} is not a time", hint="write 15m, 2h, 7d or 2030-01-31T12:00Z"
        ) from error


def clock_time(microseconds: int, now: datetime) -> str:
    """Write a moment in local time: the time of day, with its date unless that is today."""
    when = datetime.fromtimestamp(microseconds / 1e6, tz=UTC).astimezone(now.tzinfo)
    form = "%H:%M:%S" if when.date() == now.date() else "%Y-%m-%d %H:%M:%S"
    return when.strftime(form)
