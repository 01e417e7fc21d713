"""How loaded a deployment is: a peak-sensitive average of its answer times. No clock, no I/O.

Peak-EWMA as Finagle balances by it: a time above the average takes its place at once, one below
moves it by ``1 - exp(-elapsed / decay)``. So it is quick to see that a deployment got worse and
slow to forget it. The load is that average times the requests in flight, the next one included: a
deployment that has stopped to answer looks worse with each request that waits for it.

Source: Finagle, ``com.twitter.finagle.loadbalancer.PeakEwma``;
https://twitter.github.io/finagle/guide/Clients.html#power-of-two-choices-p2c-peak-ewma
"""

from math import exp, inf

from steadyhand.routing.model import DeploymentId

DECAY_S = 10.0
"""Seconds after which an old time weighs 1/e; Finagle's default."""

UNKNOWN_S = 0.0
"""Average before the first answer: whoever is not known yet is asked, once."""

UNKNOWN_WAITING_S = 60.0
"""Average while the very first calls are still unanswered: nothing is known but that they wait."""


class PeakEwma:
    """The load of one deployment in one process.

    Attributes:
        average_s: Of the times to the first content (stream) or whole answer, seconds.
        in_flight: Calls that have not ended.
    """

    __slots__ = ("_at_s", "average_s", "in_flight")

    def __init__(self) -> None:
        """Know nothing."""
        self.average_s = UNKNOWN_S
        self.in_flight = 0
        self._at_s = -inf

    @property
    def load(self) -> float:
        """What one more call would meet; lower is better."""
        average_s = self.average_s
        if average_s == UNKNOWN_S and self.in_flight:
            average_s = UNKNOWN_WAITING_S
        return average_s * (self.in_flight + 1)

    def began(self) -> None:
        """Count a call."""
        self.in_flight += 1

    def ended(self) -> None:
        """Count its end, however it ended."""
        self.in_flight -= 1

    def took(self, seconds: float, now_s: float) -> None:
        """Learn how long a call took, or had taken when it failed or was given up."""
        if seconds > self.average_s:
            self.average_s = seconds
        else:
            kept = exp(-max(now_s - self._at_s, 0.0) / DECAY_S)
            self.average_s = self.average_s * kept + seconds * (1.0 - kept)
        self._at_s = now_s


class Loads:
    """The load of each deployment of a process."""

    def __init__(self) -> None:
        """Know no deployment."""
        self._loads: dict[DeploymentId, PeakEwma] = {}

    def of(self, deployment: DeploymentId) -> PeakEwma:
        """Return the load of ``deployment``, the same object each time."""
        found = self._loads.get(deployment)
        if found is None:
            found = self._loads[deployment] = PeakEwma()
        return found
