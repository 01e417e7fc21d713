"""Which entries may be told to whom, and when. Pure.

A filter comes before the score: an entry that may not be told is no candidate, and cannot crowd
out one that may. (The weights of words are those of the whole collection.)
"""

from datetime import date, timedelta

from steadyhand.knowledge.index import Index
from steadyhand.knowledge.model import NEVER, Asker

US_A_DAY = 86_400_000_000
TENANT, LOCALE, EXPIRY = range(3)
"""Why an entry may not be told: places in ``Found.withheld``."""


def day_of(now_us: int, compiled_us: int) -> int:
    """Return the day to judge expiry by, in days since 1970-01-01 UTC.

    A clock that went back behind the moment when the snapshot was compiled is wrong for certain: an
    entry that was out of date then must not be said again. One that went forward is believed, which
    withholds entries and says nothing false.
    """
    return max(now_us, compiled_us) // US_A_DAY


def is_expired(expires_day: int, day: int) -> bool:
    """Tell whether ``day`` is after the last day of an entry."""
    return expires_day != NEVER and day > expires_day


def speaks(locale: str, asked: str) -> bool:
    """Tell whether an entry in ``locale`` may answer somebody who reads ``asked``.

    Basic filtering of RFC 4647, section 3.3.1, the entry's tag as the range: ``de`` serves
    ``de-AT``, ``de-AT`` does not serve ``de``. An empty tag on either side matches.
    """
    asked, locale = asked.lower(), locale.lower()
    return not asked or not locale or asked == locale or asked.startswith(locale + "-")


class Filter:
    """Tells, for one asker, what keeps an entry back; rows of the index are looked at once."""

    def __init__(self, index: Index, asker: Asker) -> None:
        """Decide for each audience and locale of the collection."""
        self._index = index
        self._day = asker.day
        self._told = [not tenants or asker.tenant in tenants for tenants in index.audiences]
        self._read = [speaks(locale, asker.locale) for locale in index.locales]

    def keeps_back(self, entry: int) -> int | None:
        """Return ``TENANT``, ``LOCALE`` or ``EXPIRY``, or ``None`` if the entry may be told."""
        index = self._index
        if not self._told[index.audience[entry]]:
            return TENANT
        if not self._read[index.locale[entry]]:
            return LOCALE
        return EXPIRY if is_expired(index.expires_day[entry], self._day) else None


def day_number(day: date) -> int:
    """Return ``day`` as days since 1970-01-01; dates before that are as good as the first."""
    return max(1, (day - date(1970, 1, 1)).days)


def date_of(day: int) -> str:
    """Return a day's date in ISO 8601, or nothing for ``NEVER``."""
    return "" if day == NEVER else (date(1970, 1, 1) + timedelta(days=day)).isoformat()
