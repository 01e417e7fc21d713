"""Deadlines as values. Clocks are passed in; nothing here reads one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point on the monotonic clock by which something must have happened.

    Attributes:
        at_s: Seconds on the monotonic clock; ``inf`` means no deadline.
    """

    at_s: float

    def remaining_s(self, now_s: float) -> float:
        """Return seconds left at ``now_s``, never negative."""
        return max(0.0, self.at_s - now_s)

    def earlier(self, other: "Deadline") -> "Deadline":
        """Return whichever comes first."""
        return self if self.at_s <= other.at_s else other
