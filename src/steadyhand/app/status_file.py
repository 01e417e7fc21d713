"""Writes a gateway's status file once a second, without ever making a request wait for a disk.

The parts are asked on the event loop, where their owners live. Encoding and writing happen in a
thread of their own: a write to a full or stalled disk may block, and then the next statuses are
left out and the one on disk grows old, which its readers see. Failing open: a file that cannot be
written costs the view, not an answer; ``steadyhand_status_write_failures_total`` counts it.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

import msgspec

from steadyhand.records.clock import wall_clock_us
from steadyhand.telemetry.status import (
    CollectionStatus,
    DeploymentStatus,
    HedgeStatus,
    RungStatus,
    Status,
    TierStatus,
)

PERIOD_S = 1.0


@dataclass(slots=True)
class StatusSources:
    """Who is asked for which part; each answers in microseconds, from memory."""

    release: Callable[[], str] = str
    deployments: Callable[[], Sequence[DeploymentStatus]] = tuple
    rungs: Callable[[], Sequence[RungStatus]] = tuple
    hedges: Callable[[], HedgeStatus] = HedgeStatus
    tiers: Callable[[], Sequence[TierStatus]] = tuple
    collections: Callable[[], Sequence[CollectionStatus]] = tuple


class StatusFile:
    """The writing side; one per gateway process.

    Attributes:
        failures: Files that could not be written.
    """

    def __init__(self, path: Path, process: int, sources: StatusSources) -> None:
        """Take where to write, and who is asked; nothing is written yet."""
        self.failures = 0
        self._path = path
        self._process = process
        self._sources = sources
        self._is_writing = False
        self._waiting: SimpleQueue[Status | None] = SimpleQueue()
        self._thread = Thread(target=self._write_for_ever, name="status file", daemon=True)

    async def publish_for_ever(self) -> None:
        """Publish until cancelled."""
        self._thread.start()
        try:
            while True:
                self.publish()
                await asyncio.sleep(PERIOD_S)
        finally:
            self._waiting.put(None)

    def publish(self) -> None:
        """Hand the status of this moment to the writer, unless it is still at the last one."""
        if not self._is_writing:
            self._is_writing = True
            self._waiting.put(self.status())

    @property
    def waiting(self) -> int:
        """How many statuses have not been taken up by the writer: never more than one."""
        return self._waiting.qsize()

    def join(self) -> None:
        """Wait for the writer, once :meth:`publish_for_ever` has ended."""
        self._thread.join()

    def status(self) -> Status:
        """Ask every source."""
        sources = self._sources
        return Status(
            process=self._process,
            pid=os.getpid(),
            made_us=wall_clock_us(),
            release=sources.release(),
            deployments=tuple(sources.deployments()),
            rungs=tuple(sources.rungs()),
            hedges=sources.hedges(),
            tiers=tuple(sources.tiers()),
            collections=tuple(sources.collections()),
            write_failures=self.failures,
        )

    def _write_for_ever(self) -> None:
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        while (status := self._waiting.get()) is not None:
            try:
                draft.write_bytes(msgspec.json.encode(status))
                draft.replace(self._path)  # a reader sees the last one or this one, whole
            except OSError:
                self.failures += 1
            self._is_writing = False
