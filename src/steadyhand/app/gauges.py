"""What a gateway process reports about itself, four times a second, on its board."""

import asyncio
from time import monotonic

from steadyhand.app.children import Count, Totals
from steadyhand.app.listener import ServerCounters
from steadyhand.app.open_files import is_exhausted
from steadyhand.http.traffic import Traffic
from steadyhand.records.clock import wall_clock_us
from steadyhand.records.commit import Commits
from steadyhand.records.log import RecordLog
from steadyhand.routing.health.book import Health
from steadyhand.snapshot.model import Snapshot
from steadyhand.telemetry.board import Board
from steadyhand.telemetry.upstream_names import SLOTS as UPSTREAM_SLOTS

PERIOD_S = 0.25

_TRAFFIC = {slot.name: slot.name.removeprefix("upstream_") for slot in UPSTREAM_SLOTS}


class Gauges:
    """Reads counters where they are kept and publishes them; nothing is counted here but reloads.

    Attributes:
        reload_failures: Published snapshots that could not be served.
    """

    def __init__(
        self,
        board: Board,
        server: ServerCounters,
        log: RecordLog,
        commits: Commits,
        traffic: Traffic,
        totals: Totals,
        health: Health,
        samples: RecordLog | None = None,
    ) -> None:
        """Take the board, and what is read; ``samples`` is the log of samples, if there is one."""
        self.reload_failures = 0
        self._exhausted = 0
        self._board = board
        self._server = server
        self._log = log
        self._traffic = traffic
        self._totals = totals
        self._health = health
        self._samples = samples
        self._refused = commits.refused

    def started(self, restarts: int, rolls: int) -> None:
        """Publish when this process began, and how many came before it."""
        self._board.publish({"started_us": wall_clock_us(), "restarts": restarts, "rolls": rolls})

    def snapshot_changed(self, snapshot: Snapshot) -> None:
        """Publish which snapshot is in force."""
        self._board.publish(
            {"snapshot_version": snapshot.version, "snapshot_compiled_us": snapshot.compiled_us}
        )

    async def publish_for_ever(self) -> None:
        """Publish until cancelled."""
        while True:
            self._health.beat(monotonic())  # a late one tells that this process stood still
            self.publish()
            await asyncio.sleep(PERIOD_S)

    def publish(self) -> None:
        """Publish every number as it is now."""
        self._exhausted += is_exhausted()
        server, log, totals = self._server, self._log, self._totals
        self._board.publish(
            {
                "in_flight": server.in_flight,
                "connections": server.connections,
                "http_requests": server.requests,
                **{f"refused_{code}": count for code, count in server.refused.items()},
                "write_pauses": server.write_pauses,
                "files_exhausted": self._exhausted,
                "overload_lag": server.overload_lag,
                "overload_in_flight": server.overload_in_flight,
                "disconnects": server.disconnects,
                "handler_failures": server.failures,
                "reload_failures": self.reload_failures,
                "drained": totals[Count.DRAINED],
                "cut": totals[Count.CUT],
                "roll_failures": totals[Count.ROLL_FAILURES],
                "log_appended": log.appended,
                "log_flushed": log.flushed,
                "log_dropped": log.dropped,
                "log_unencodable": log.unencodable,
                "log_flush_failures": log.flush_failures,
                "log_pending_bytes": log.pending_bytes,
                "log_last_flush_us": log.last_flush_us,
                "log_syncs": log.syncs,
                "log_sync_total_us": log.sync_total_us,
                "log_sync_last_us": log.sync_last_us,
                "log_sync_longest_us": log.sync_longest_us,
                "log_sync_age_us": int(log.stalled_s() * 1e6),
                "log_refused_full": self._refused["full"],
                "log_refused_failing": self._refused["failing"],
                "log_refused_stalled": self._refused["stalled"],
            }
        )
        if self._samples is not None:
            samples = self._samples
            self._board.publish(
                {
                    "samples_taken": samples.appended,
                    "samples_dropped": samples.dropped + samples.unencodable,
                    "samples_flush_failures": samples.flush_failures,
                }
            )
        self._board.publish({name: getattr(self._traffic, own) for name, own in _TRAFFIC.items()})
