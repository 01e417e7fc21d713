"""Every deployment's health in one gateway process. Pure: clock and draws come in.

It outlives reloads of the snapshot: an entry is found by provider, model and region. Model names
may come from clients, so the book is bounded twice: what has never answered well competes for few
places, apart from what has, and so made-up names displace nothing that matters.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

from steadyhand.routing.health.cohorts import Pulse
from steadyhand.routing.health.deployment import DeploymentHealth
from steadyhand.routing.model import DeploymentId

PROVEN: Final = 4096
"""Deployments that have answered well and are remembered."""

UNPROVEN: Final = 256
"""Others that are remembered."""

ACTIVE_S: Final = 60.0
"""A deployment asked within these seconds counts when a provider is judged as a whole."""


class Health:
    """The book."""

    def __init__(self) -> None:
        self._pulse = Pulse()
        self._proven: OrderedDict[DeploymentId, DeploymentHealth] = OrderedDict()
        self._unproven: OrderedDict[DeploymentId, DeploymentHealth] = OrderedDict()

    def of(self, deployment: DeploymentId) -> DeploymentHealth:
        """Return the health of ``deployment``, new if it is not known."""
        found = self._proven.get(deployment)
        if found is not None:
            self._proven.move_to_end(deployment)
            return found
        return self._newcomer(deployment)

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

    def __iter__(self) -> Iterator[tuple[DeploymentId, DeploymentHealth]]:
        yield from self._proven.items()
        yield from self._unproven.items()

    def __len__(self) -> int:
        return len(self._proven) + len(self._unproven)

    def _newcomer(self, deployment: DeploymentId) -> DeploymentHealth:
        unproven = self._unproven
        found = unproven.get(deployment)
        if found is None:
            found = unproven[deployment] = DeploymentHealth(self._pulse)
            if len(unproven) > UNPROVEN:
                unproven.popitem(last=False)
        elif found.oks:
            del unproven[deployment]
            self._proven[deployment] = found
            if len(self._proven) > PROVEN:
                self._proven.popitem(last=False)
        else:
            unproven.move_to_end(deployment)
        return found
