"""Every deployment's health in one gateway process. Pure: clock and draws come in.

It outlives reloads of the snapshot: an entry is found by provider, model and region. Model names
may come from clients, so the book is bounded twice: what has never answered well competes for few
places, apart from what has, and so made-up names displace nothing that matters.
"""

from collections.abc import Iterator
from heapq import nlargest
from typing import Final

from steadyhand.routing.health.cohorts import Pulse
from steadyhand.routing.health.deployment import DeploymentHealth
from steadyhand.routing.health.status import status_of
from steadyhand.routing.model import DeploymentId
from steadyhand.telemetry.status import DeploymentStatus

PROVEN: Final = 1024
"""Deployments that have answered well and are remembered."""

UNPROVEN: Final = 256
"""Others that are remembered."""

TOLD: Final = 500
"""Most deployments that a status tells of: what is made on the loop once a second is bounded."""

ACTIVE_S: Final = 60.0
"""A deployment asked within these seconds counts when a provider is judged as a whole."""


ARMS: Final = 64
"""Most books of arms that are kept beside the shared one; the oldest goes first."""


class Health:
    """The book, and a book for each arm of an open rollout.

    Arms share nothing, so what becomes of a candidate never opens a breaker that others meet, and
    every compared slice finds out for itself, from equal traffic, that a provider is down.
    """

    def __init__(self, pulse: Pulse | None = None) -> None:
        self._pulse = pulse or Pulse()
        self._arms: dict[str, Health] = {}
        self._proven: dict[DeploymentId, DeploymentHealth] = {}
        self._unproven: dict[DeploymentId, DeploymentHealth] = {}

    def of(self, deployment: DeploymentId) -> DeploymentHealth:
        """Return the health of ``deployment``, new if it is not known."""
        found = self._proven.get(deployment)
        return self._newcomer(deployment) if found is None else found

    def arm(self, name: str) -> "Health":
        """Return the book of an arm, new if it is not known; the shared one if it has no name."""
        if not name:
            return self
        found = self._arms.get(name)
        if found is None:
            if len(self._arms) >= ARMS:
                del self._arms[next(iter(self._arms))]
            found = self._arms[name] = Health(self._pulse)
        return found

    def beat(self, now_s: float) -> None:
        """Note that the loop runs; call it several times a second (see :class:`Pulse`)."""
        self._pulse.beat(now_s)

    def is_provider_slow(self, provider: str, now_s: float) -> bool:
        """Tell whether at least half of a provider's active deployments are unwell.

        Then another try there would only add to its load: hedges are off.
        """
        active = unwell = 0
        for deployment, health in self:
            if deployment.provider == provider and now_s - health.began_s < ACTIVE_S:
                active += 1
                unwell += health.is_unwell
        return active > 0 and 2 * unwell >= active

    def snapshot(self, now_s: float, wall_us: int) -> tuple[DeploymentStatus, ...]:
        """Return the state of every deployment, or of those asked last, for the status file.

        Args:
            now_s: Monotonic seconds.
            wall_us: Wall clock at the same moment, microseconds since 1970.
        """
        told = nlargest(TOLD, self, key=lambda each: each[1].began_s) if len(self) > TOLD else self
        return tuple(status_of(deployment, health, now_s, wall_us) for deployment, health in told)

    def __iter__(self) -> Iterator[tuple[DeploymentId, DeploymentHealth]]:
        yield from self._proven.items()
        yield from self._unproven.items()

    def __len__(self) -> int:
        return len(self._proven) + len(self._unproven)

    def _newcomer(self, deployment: DeploymentId) -> DeploymentHealth:
        found = self._unproven.get(deployment)
        if found is None:
            found = self._unproven[deployment] = DeploymentHealth(self._pulse)
            if len(self._unproven) > UNPROVEN:
                self._promote()
                _forget_oldest(self._unproven, UNPROVEN, found)
                _forget_oldest(self._proven, PROVEN, found)
        return found

    def _promote(self) -> None:
        """Move what has answered well to those that are kept."""
        for deployment in [each for each, health in self._unproven.items() if health.oks]:
            self._proven[deployment] = self._unproven.pop(deployment)


def _forget_oldest(
    entries: dict[DeploymentId, DeploymentHealth], most: int, newest: DeploymentHealth
) -> None:
    """Drop what has not been asked for longest, down to ``most`` entries; ``newest`` stays."""
    while len(entries) > most:
        entries.pop(
            min(
                (each for each, health in entries.items() if health is not newest),
                key=lambda each: entries[each].began_s,
            )
        )
