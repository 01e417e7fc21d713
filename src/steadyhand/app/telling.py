"""What the control process tells those who listen to its events."""

import asyncio
from collections.abc import Callable
from typing import Any

from steadyhand.control.events import Hub
from steadyhand.records.clock import wall_clock_us
from steadyhand.registry.stories import Story
from steadyhand.routing.exposure import LEASE_S
from steadyhand.snapshot.model import Snapshot
from steadyhand.telemetry.releases import ReleaseMetrics

LOOK_S = 0.25
LEASES_S = 5.0


class Teller:
    """Counts what happens to the registry, and tells it."""

    def __init__(self, hub: Hub, metrics: ReleaseMetrics) -> None:
        """Take both."""
        self._hub = hub
        self._metrics = metrics
        self._last: tuple[str, str] = ("ok", "")

    def changed(self, story: Story) -> None:
        """Take note of a commit that was made here."""
        self._metrics.changed(story.action)
        self._hub.tell("registry", story._asdict())

    def synced(self, outcome: str, message: str) -> None:
        """Take note of a look at the remote; only what is new is told."""
        self._metrics.synced(outcome)
        if (outcome, message) != self._last:
            self._last = (outcome, message)
            self._hub.tell("sync", {"outcome": outcome, "message": message})


async def tell_for_ever(hub: Hub, snapshot: Callable[[], Snapshot | None], *, leases: bool) -> None:
    """Tell of each snapshot that comes into force, and until when candidates may be served."""
    told, waited_s = 0, LEASES_S
    while True:
        found = await asyncio.to_thread(snapshot)
        if found is not None and found.version != told:
            told = found.version
            data: dict[str, Any] = {"version": found.version, "digest": found.digest}
            hub.tell("snapshot", data)
        if leases and waited_s >= LEASES_S:
            waited_s = 0.0
            hub.tell("lease", {"until_us": wall_clock_us() + int(LEASE_S * 1e6)})
        await asyncio.sleep(LOOK_S)
        waited_s += LOOK_S
