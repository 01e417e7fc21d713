"""Multi-window burn rates: over how long, and how fast is too fast. Pure.

The windows and factors are those of Beyer et al., *The Site Reliability Workbook* (2018), chapter
5, for a period of 30 days: a page when 2 % of the error budget went in an hour or 5 % in six, a
ticket when 10 % went in a day or in three. Another period scales the windows. A window is never
shorter than four scrapes, since a rate over fewer says nothing, and the factor is made anew from
what the window has become: part of the budget × period / window. It is at least 1, or the alert
would fire while the budget is being kept; and a share of bad requests above :data:`CERTAIN` always
fires, or an objective of 90 % could never fire at a factor of 14.4.
"""

from collections.abc import Sequence
from math import ceil
from typing import Final, Literal, NamedTuple

Severity = Literal["page", "ticket"]

DAY_S: Final = 86_400
MONTH_S: Final = 30 * DAY_S
SCRAPES: Final = 4
"""Scrapes that the shortest window holds."""
CERTAIN: Final = 0.8
"""A share of bad requests that is too fast for every objective."""
APART: Final = 3
"""A long window is at least so many times its short one."""

COUNT_FACTOR: Final = 7.4
COUNT_LEAST: Final = 4.6
"""Bad requests that no kept objective produces: more than 7.4 times as many as the budget allows,
and 4.6 beside.

By Chernoff's bound (Mitzenmacher, Upfal, *Probability and Computing*, 2005, theorem 4.4) at least k
≥ e²μ events have a probability of at most e⁻ᵏ where μ are expected, so this many one below 1 %;
with the few events that it is for, far less.
"""

_BASE: Final[tuple[tuple[Severity, float, int, int], ...]] = (
    ("page", 0.02, 3_600, 300),
    ("page", 0.05, 6 * 3_600, 1_800),
    ("ticket", 0.10, DAY_S, 2 * 3_600),
    ("ticket", 0.10, 3 * DAY_S, 6 * 3_600),
)
_STEPS_S: Final = (1, 5, 15, 60, 300, 1_800, 3_600)


class Burn(NamedTuple):
    """One pair of windows.

    Attributes:
        severity: Who is wanted.
        long_s: Seconds over which the budget must have burnt.
        short_s: Seconds over which it must still burn, so that the alert ends when it does not.
        factor: How many times as fast as the period allows.
    """

    severity: Severity
    long_s: int
    short_s: int
    factor: float

    def threshold_ratio(self, budget_ratio: float) -> float:
        """Return the share of bad requests above which it is too fast."""
        return min(self.factor * budget_ratio, CERTAIN)


def burns(period_s: float, scrape_s: float) -> Sequence[Burn]:
    """Return the pairs of windows for a period, looked at each ``scrape_s`` seconds."""
    least_s = max(1, ceil(SCRAPES * scrape_s))
    found = []
    for severity, part, long_s, short_s in _BASE:
        scale = period_s / MONTH_S
        short = max(least_s, _rounded(short_s * scale))
        long = max(APART * short, _rounded(long_s * scale))
        found.append(Burn(severity, long, short, max(1.0, round(part * period_s / long, 4))))
    return found


def windows_s(pairs: Sequence[Burn]) -> Sequence[int]:
    """Return every window, shortest first, each once."""
    return sorted({window for pair in pairs for window in (pair.short_s, pair.long_s)})


def count_windows(pairs: Sequence[Burn]) -> Sequence[tuple[Severity, int]]:
    """Return the windows over which few requests are counted: the longest of each severity."""
    longest: dict[Severity, int] = {}
    for pair in pairs:
        longest[pair.severity] = max(longest.get(pair.severity, 0), pair.long_s)
    return list(longest.items())


def told(seconds: int) -> str:
    """Return a duration as PromQL writes it.

    Examples:
        300 is ``5m``, 86400 is ``1d``, 90 is ``90s``.
    """
    for unit, length in (("d", DAY_S), ("h", 3_600), ("m", 60)):
        if seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def _rounded(seconds: float) -> int:
    """Return whole seconds that can be written shortly, at most a tenth away from what is asked."""
    for step in reversed(_STEPS_S):
        near = round(seconds / step) * step
        if near and abs(near - seconds) <= seconds / 10:
            return near
    return max(1, round(seconds))
