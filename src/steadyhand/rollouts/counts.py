"""Counts of a rollout: where requests and bad events fell. As certificates keep them."""

from typing import Final, Literal

import msgspec

from steadyhand.records.exposures.model import COMPARED, CONTROL, SLOTS
from steadyhand.rollouts.sequential import Split

LEAST_CONTROL: Final = 20
"""Requests of the control below which a window says nothing of it."""

Health = Literal["healthy", "breached", "unknown"]


class Step(msgspec.Struct, frozen=True):
    """What happened at one weight. Lists are by slot.

    Attributes:
        weight: Of the candidate, basis points.
        controls: Number of control slices.
        requests: How many.
        bad: Metric → how many of them had it.
        events: Metric → units that had it for the first time.
        units: Remembered units that were first seen here.
        measured: Sampled answers that were found grounded or ungrounded; empty for none.
    """

    weight: int
    controls: int
    requests: list[int]
    bad: dict[str, list[int]]
    events: dict[str, list[int]]
    units: list[int]
    measured: list[int] = []

    def split(self, metric: str) -> Split:
        """Return where units had their first bad event."""
        found = self.events.get(metric, [0] * SLOTS)
        return Split(found[COMPARED], found[CONTROL])


class Window(msgspec.Struct, frozen=True):
    """The last seconds.

    Attributes:
        requests: How many.
        bad: How many of them were bad in some way.
    """

    requests: int = 0
    bad: int = 0

    @property
    def rate(self) -> float:
        """Part of them that was bad; 0 of none."""
        return self.bad / self.requests if self.requests else 0.0


class Counts(msgspec.Struct, frozen=True):
    """All that a verdict is made of.

    Attributes:
        steps: What happened at each weight, in order of their first request.
        guarded: The candidate's requests while its control was within the service level, and the
            units among them that had their first bad event. A provider's outage breaches the
            candidate's service level as well, and must not be held against it for ever.
        candidate_short: The candidate's last seconds.
        candidate_long: More of them.
        control_short: The control slices' last seconds.
        control_long: More of them.
        candidate_second: When the candidate was last asked, seconds since 1970; 0 for never.
    """

    steps: tuple[Step, ...] = ()
    guarded: Window = Window()
    candidate_short: Window = Window()
    candidate_long: Window = Window()
    control_short: Window = Window()
    control_long: Window = Window()
    candidate_second: int = 0

    def control_is(self, slo: float) -> Health:
        """Return how the control slices do against a part ``slo`` that may be bad."""
        windows = (self.control_short, self.control_long)
        if any(each.requests >= LEAST_CONTROL and each.rate > slo for each in windows):
            return "breached"
        return "healthy" if self.control_long.requests >= LEAST_CONTROL else "unknown"
