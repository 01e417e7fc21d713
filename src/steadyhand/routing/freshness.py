"""What a kept answer may be used for at its age. Pure.

Three ages, each counted from where the one before ends, in the words of HTTP's extensions for stale
content: it is *fresh*; then it may speak while a live rung refreshes it behind; beyond, and beside
that, it may speak only where no live rung did.

Source: RFC 5861, ``stale-while-revalidate`` and ``stale-if-error``.
"""

from typing import Literal

import msgspec

Use = Literal["fresh", "revalidate", "stale", "expired"]
"""``fresh`` and ``revalidate`` may speak at once, ``stale`` if no live rung does."""

CLOCK_SKEW_S = 60.0
"""An answer from up to so far in the future is new: clocks of machines differ, and are set."""


class Freshness(msgspec.Struct, frozen=True):
    """A route's ages, seconds.

    Attributes:
        fresh_s: So long an answer is as good as a new one.
        revalidate_s: So much longer it may speak while it is refreshed.
        stale_s: So much longer than ``fresh_s`` it is better than none.
    """

    fresh_s: float
    revalidate_s: float
    stale_s: float

    @property
    def keep_s(self) -> float:
        """The age from which an answer is of no use."""
        return self.fresh_s + max(self.revalidate_s, self.stale_s)

    def use(self, age_s: float) -> Use:
        """Return what an answer may be used for at ``age_s`` seconds.

        One from further in the future than clocks differ is expired: its age is not known.
        """
        if not -CLOCK_SKEW_S <= age_s < self.keep_s:
            return "expired"
        if age_s < self.fresh_s:
            return "fresh"
        return "revalidate" if age_s < self.fresh_s + self.revalidate_s else "stale"
