"""What the control process tells those who listen to its events."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any

from steadyhand.control.events import Hub
from steadyhand.records.clock import wall_clock_us
from steadyhand.registry.stories import Story
from steadyhand.routing.exposure import LEASE_S
from steadyhand.snapshot.model import Snapshot
from steadyhand.telemetry.releases import ReleaseMetrics
from steadyhand.telemetry.rollouts import RolloutMetrics

LOOK_S = 0.25
LEASES_S = 5.0


class Teller:
    """Counts what happens to the registry, and tells it."""

    def __init__(self, hub: Hub, metrics: ReleaseMetrics) -> None:
        """Take both."""
        self._hub = hub
        self._metrics = metrics
        self._last: tuple[str, str] = ("ok", "")
        self.rollouts: RolloutMetrics | None = None

    def changed(self, story: Story) -> None:
        """Take note of a commit that was made here."""
        self._metrics.changed(story.action)
        self._hub.tell("registry", story._asdict())

    def told(self, kind: str, data: Mapping[str, Any]) -> None:
        """Take note of what became of a rollout."""
        if self.rollouts is not None:
            self.rollouts.told(kind, data)
        self._hub.tell(kind, data)

    def synced(self, outcome: str, message: str) -> None:
        """Take note of a look at the remote; only what is new is told."""
        self._metrics.synced(outcome)
        if (outcome, message) != self._last:
            self._last = (outcome, message)
            self._hub.tell("sync", {"outcome": outcome, "message": message})


async def tell_for_ever(
    hub: Hub,
    snapshot: Callable[[], Snapshot | None],
    drained: Callable[[], Collection[str]] | None,
) -> None:
    """Tell of each snapshot that comes into force, and until when which candidates may be served.

    ``drained`` returns the salts of those that may not; ``None`` tells of no lease at all.
    """
    told, waited_s = 0, LEASES_S
    off: Collection[str] = ()
    while True:
        found = await asyncio.to_thread(snapshot)
        if found is not None and found.version != told:
            told = found.version
            data: dict[str, Any] = {"version": found.version, "digest": found.digest}
            hub.tell("snapshot", data)
        if drained is not None and (waited_s >= LEASES_S or drained() != off):
            waited_s, off = 0.0, drained()
            until_us = wall_clock_us() + int(LEASE_S * 1e6)
            hub.tell("lease", {"until_us": until_us, "drained": sorted(off)})
        await asyncio.sleep(LOOK_S)
        waited_s += LOOK_S
