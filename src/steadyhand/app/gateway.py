"""One gateway process: from settings and the published snapshot to a listener."""

import asyncio
import gc
import logging
import os
import signal
import socket
from collections.abc import Coroutine
from dataclasses import replace
from random import SystemRandom, random
from time import monotonic, time

import uvloop

from steadyhand.app import leases
from steadyhand.app.cache import open_cache, watch_epochs
from steadyhand.app.children import Count, Parent, Totals
from steadyhand.app.climbing import hedge_status, open_gear
from steadyhand.app.curated import CuratedAnswers
from steadyhand.app.drills import DrillPorts, Drills, busy
from steadyhand.app.gauges import Gauges
from steadyhand.app.listener import Listener, NativeListener
from steadyhand.app.listener_limits import overload_limits, server_limits, tls_context
from steadyhand.app.rolling import RETIRE
from steadyhand.app.sampling import open_samples, samples_of
from steadyhand.app.serving import build_serving
from steadyhand.app.state import State, provider_ports
from steadyhand.app.status_file import StatusFile, StatusSources
from steadyhand.core.errors import SteadyhandError
from steadyhand.core.ids import RequestIds
from steadyhand.gateway.cors import Cors
from steadyhand.gateway.handler import Gateway
from steadyhand.gateway.ledger import StrictLedger
from steadyhand.gateway.serving import Serving
from steadyhand.gateway.tracing import Tracing
from steadyhand.knowledge.library import Library
from steadyhand.records.clock import wall_clock_us
from steadyhand.records.commit import Commits
from steadyhand.records.log import RecordLog
from steadyhand.records.record import Record
from steadyhand.routing.model import DeploymentId
from steadyhand.routing.ports import RungPorts
from steadyhand.routing.proofs import ProofBook
from steadyhand.settings.model import Settings
from steadyhand.snapshot import sign, store
from steadyhand.snapshot.model import Snapshot
from steadyhand.telemetry.board import Board

logger = logging.getLogger(__name__)

RETIRE_POLL_S = 0.25
PARTING_S = 1.0
"""What a kept connection of a replaced process has for one more request, which tells it to go.

A connection that is closed while its client writes is a failed request; one that is told is not.
"""
GC_THRESHOLDS = (20_000, 20, 20)
"""Allocations before a young collection: the path makes few cycles, so scans can be rarer."""


def run(
    settings: Settings, number: int, listener: socket.socket, parent: Parent | None = None
) -> None:
    """Serve until SIGTERM, until a successor has taken over, or until the supervisor is gone.

    Args:
        settings: Of the workspace; what may change at run time comes from the snapshot instead.
        number: Of this process, from 0; a label in metrics and records.
        listener: Socket to accept on; the supervisor and a successor may have it, too.
        parent: The supervisor, or ``None`` without one.

    Raises:
        SteadyhandError: There is nothing to serve from, or it cannot be built.
        OSError: The address cannot be bound.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        process = GatewayProcess(settings, number, parent)
        native = NativeListener(
            listener, server_limits(settings), overload_limits(settings), tls_context(settings)
        )
        runner.run(_serve(process, native, parent))


async def _serve(process: "GatewayProcess", listener: Listener, parent: Parent | None) -> None:
    loop = asyncio.get_running_loop()
    stop, retire = asyncio.Event(), asyncio.Event()

    def retired() -> None:
        retire.set()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(RETIRE, retired)
    loop.add_signal_handler(signal.SIGHUP, process.reload)
    if parent is not None:
        loop.add_reader(parent.lifeline, stop.set)  # end of file: the supervisor is gone
    await process.start(listener)
    gc.collect()
    gc.freeze()  # what start-up made lives for ever; do not look at it again
    gc.set_threshold(*GC_THRESHOLDS)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP, RETIRE})
    if parent is not None:
        parent.ready()
    await stop.wait()
    if parent is not None:
        loop.remove_reader(parent.lifeline)
    await process.stop(is_replaced=retire.is_set())


class GatewayProcess:
    """Owns what one process needs to answer."""

    def __init__(self, settings: Settings, number: int, parent: Parent | None = None) -> None:
        """Build what can be built without a loop; nothing listens yet."""
        self._settings = settings
        self._number = number
        self._restarts = parent.restarts if parent is not None else 0
        self._rolls = parent.rolls if parent is not None else 0
        self._totals = parent.totals if parent is not None else Totals()
        self._state = State(settings)
        self._ports = provider_ports(settings, os.environ)
        self._key = sign.open_key(self._state.snapshot_key)
        loaded = store.load(self._state.snapshots, self._key)
        if loaded.refused is not None:
            logger.warning("serving from %s: %s", loaded.file, loaded.refused)
        self._cache = open_cache(settings, self._key)
        self._rung_ports = RungPorts({}, cache=self._cache)
        self._library = Library(self._state.answers, wall_clock_us)
        self._library.load(loaded.snapshot.collections)
        self._serving = self._build(loaded.snapshot)
        self._library.took_over(loaded.snapshot.collections)
        self._proofs = ProofBook(settings.drills.terms(), random)
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, listener: Listener) -> None:
        """Open the record log and accept; the board comes last, when nothing can fail any more."""
        records, traces = self._settings.records, self._settings.traces
        self._log = RecordLog(self._state.log, records.log_settings())
        loop = asyncio.get_running_loop()
        commits = Commits(self._log, loop, patience_s=records.sync_timeout_ms / 1000)
        self._samples = open_samples(self._settings.grounding, self._state)
        self._gear = open_gear(
            self._settings.ladder,
            self._log.annotate,
            self._proofs.is_proven,
            samples_of(self._settings.grounding, self._samples, self._key),
        )
        is_strict = records.durability == "strict"
        self._gateway = Gateway(
            self._serving,
            self._append,
            RequestIds(SystemRandom().getrandbits(40), time),
            Cors(self._settings.server.cors_origins),
            self._number,
            StrictLedger(self._append, commits, self._number) if is_strict else None,
            gear=self._gear,
            tracing=Tracing(bool(traces.url), traces.sample_percent),
        )
        self._listener = listener
        counters = await listener.open(self._gateway)
        board = Board.create(self._state.board(self._number), wall_clock_us)
        self._gauges = Gauges(
            board,
            counters,
            self._log,
            commits,
            self._ports.traffic,
            self._totals,
            self._gateway.gear.health,
            self._samples,
        )
        self._gauges.started(self._restarts, self._rolls)
        self._gauges.snapshot_changed(self._serving.snapshot)
        self._spawn(self._gauges.publish_for_ever())
        self._drills = Drills(
            self._proofs,
            self._gateway,
            self._settings.drills,
            self._state,
            DrillPorts(
                self._log.append,
                state_of=self._state_of,
                is_busy=busy(counters, self._settings.server.max_in_flight),
            ),
        )
        self._spawn(self._drills.watch())
        self._drilling = self._spawn(self._drills.run())
        self._spawn(leases.watch(self._state.exposure_lease, self._gear.lease))
        self._spawn(watch_epochs(self._cache, self._state.cache_epochs))
        status = StatusFile(self._state.status(self._number), self._number, self._sources())
        self._reporting = self._spawn(status.publish_for_ever())

    def _append(self, record: Record) -> int:
        """Log a record, and learn from it which rungs answer."""
        self._proofs.learn(record, monotonic())
        return self._log.append(record)

    def _state_of(self, deployment: DeploymentId) -> str:
        return self._gateway.gear.health.of(deployment).reading(monotonic()).state

    def _sources(self) -> StatusSources:
        """Return who knows what of the status file."""
        return StatusSources(
            release=lambda: self._gateway.serving.release,
            rungs=self._drills.status,
            deployments=lambda: self._gateway.gear.health.snapshot(monotonic(), wall_clock_us()),
            hedges=lambda: hedge_status(self._gear),
            tiers=self._cache.status,
            collections=self._library.status,
        )

    def _build(self, snapshot: Snapshot, held: Serving | None = None) -> Serving:
        """Build what is served from ``snapshot``, with what outlives it."""
        reading = self._library.open(snapshot.collections, snapshot.compiled_us)
        ports = replace(self._rung_ports, knowledge=CuratedAnswers(reading))
        return build_serving(snapshot, self._ports, held, ports)

    def reload(self) -> None:
        """Take over the snapshot now on disk; keep the one in force if that cannot be served.

        Collections of curated answers that it brings are loaded first, in a thread.
        """
        held = self._gateway.serving
        try:
            loaded = store.load(
                self._state.snapshots,
                self._key,
                not_older_than_version=held.snapshot.version,
            )
        except (SteadyhandError, OSError) as error:
            self._keep(held, error)
            return
        if self._library.holds(loaded.snapshot.collections):
            self._take_over(loaded.snapshot)
        else:
            self._spawn(self._take_over_with_answers(loaded.snapshot))

    async def _take_over_with_answers(self, snapshot: Snapshot) -> None:
        await self._library.prepare(snapshot.collections)
        self._take_over(snapshot)

    def _keep(self, held: Serving, error: Exception) -> None:
        self._gauges.reload_failures += 1
        logger.error("keeping snapshot %s: %s", held.release, error)

    def _take_over(self, snapshot: Snapshot) -> None:
        held = self._gateway.serving
        if snapshot.version <= held.snapshot.version:
            return
        try:
            serving = self._build(snapshot, held)
        except (SteadyhandError, OSError, ValueError) as error:
            self._keep(held, error)
            return
        self._gateway.serving = serving
        self._library.took_over(snapshot.collections)
        self._gauges.snapshot_changed(serving.snapshot)
        self._spawn(retire(held, serving))
        logger.info("serving snapshot %s", serving.release)

    async def stop(self, *, is_replaced: bool = False) -> None:
        """Finish what is in flight within the drain time, then flush the log.

        A process that was replaced stays ready: a kept connection that asks for its readiness asks
        about the service, which goes on.
        """
        server = self._settings.server
        self._drilling.cancel()
        self._reporting.cancel()  # the file belongs to the successor now, if there is one
        self._gateway.is_draining = not is_replaced
        if not is_replaced and server.readiness_lead_s:
            await asyncio.sleep(server.readiness_lead_s)
        ended = await self._listener.close(server.drain_s, PARTING_S if is_replaced else 0.0)
        self._totals.add(Count.DRAINED, ended.finished)
        self._totals.add(Count.CUT, ended.cut)
        for task in self._tasks:
            task.cancel()
        await self._gear.harvest.close()
        await self._gateway.serving.close(keep=frozenset())
        await self._cache.close()
        lost = self._log.close()
        if self._samples is not None:
            self._samples.close()
        self._gauges.publish()
        if lost:
            logger.error("%d records could not be written before the end", lost)

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def retire(old: Serving, new: Serving) -> None:
    """Close what only ``old`` uses, once its last request has ended."""
    while old.users:  # noqa: ASYNC110 - an event would cost every request
        await asyncio.sleep(RETIRE_POLL_S)
    await old.close(keep=frozenset(map(id, new.providers.values())))
