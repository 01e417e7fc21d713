"""The control process: ships records to SQL, counts them, serves the REST API and the metrics."""

import asyncio
import os
import signal
import socket
from collections.abc import Collection
from functools import partial
from pathlib import Path
from threading import Event, Thread
from time import time

from steadyhand import console
from steadyhand.alerting.hints import Hints
from steadyhand.alerting.metrics import AlertMetrics
from steadyhand.alerting.store import AlertStore
from steadyhand.app import proof_files
from steadyhand.app.alerting import deliver_for_ever, notifier_of, teller_of
from steadyhand.app.breaking import breaking_ports
from steadyhand.app.cache_host import CACHE_LOCK_MS, cache_ports, host_cache
from steadyhand.app.children import Parent
from steadyhand.app.followed import age_of
from steadyhand.app.following import follow_for_ever
from steadyhand.app.grounding import SampledAnswers
from steadyhand.app.lately import refill
from steadyhand.app.objectives import look_for_ever, open_book
from steadyhand.app.registry import PrincipalsReader, Registry, count_refused, registry_ports
from steadyhand.app.rollouts import Exposer, Rollouts, driver_of
from steadyhand.app.state import State, secret_resolver
from steadyhand.app.telling import Teller, tell_for_ever
from steadyhand.app.traces import Traces, told_of
from steadyhand.caching.store import CacheStore
from steadyhand.control.alerts import AlertPorts
from steadyhand.control.application import create_app
from steadyhand.control.auth import load_or_create_token
from steadyhand.control.distribution import DistributionPorts
from steadyhand.control.drills import DrillPorts
from steadyhand.control.events import Hub
from steadyhand.control.ports import ControlPorts, GatewayStatus
from steadyhand.control.probes import shipper_probe
from steadyhand.control.rollouts.orders import RolloutPorts
from steadyhand.control.server import ControlServer
from steadyhand.core.errors import SteadyhandError
from steadyhand.knowledge import shelf
from steadyhand.objectives.metrics import ObjectiveMetrics
from steadyhand.records.clock import wall_clock_us
from steadyhand.records.shipper import Shipper
from steadyhand.records.store import RecordStore
from steadyhand.routing import drill_orders
from steadyhand.routing.planning.passed_over import passed_over
from steadyhand.settings.model import Settings
from steadyhand.snapshot import sign, store
from steadyhand.snapshot.model import Snapshot
from steadyhand.storage.database import Database
from steadyhand.storage.migrations import upgrade
from steadyhand.storage.open import BUSY_TIMEOUT_MS, open_database
from steadyhand.telemetry import collectors, names
from steadyhand.telemetry.board import read_board
from steadyhand.telemetry.feedback import FeedbackMetrics
from steadyhand.telemetry.ladder_collector import StatusCollector
from steadyhand.telemetry.metrics import RequestMetrics
from steadyhand.telemetry.overhead import OverheadMetrics
from steadyhand.telemetry.plan_metrics import PlanMetrics
from steadyhand.telemetry.releases import ReleaseMetrics
from steadyhand.telemetry.ring import Ring
from steadyhand.telemetry.status import read_statuses
from steadyhand.tenancy.principals import token_hash


def run(settings: Settings, listener: socket.socket, parent: Parent | None = None) -> None:
    """Serve on ``listener`` until SIGTERM, or until the supervisor is gone.

    Raises:
        SteadyhandError: The database cannot be opened, or the token cannot be trusted.
    """
    asyncio.run(_serve(settings, listener, parent))


async def _serve(settings: Settings, listener: socket.socket, parent: Parent | None) -> None:
    state = State(settings)
    database = open_state_database(settings)
    records = RecordStore(database, told=told_of(settings.traces))
    metrics = RequestMetrics(names.edges(thresholds_ms(settings)))
    overhead = OverheadMetrics()
    feedback = FeedbackMetrics()
    plans = PlanMetrics(passed_over)
    follows = settings.follow.url is not None  # then it has no registry, and leads nobody
    heard = partial(age_of, state.followed, time) if follows else (lambda: None)
    releases = ReleaseMetrics(partial(count_refused, state), heard)
    snapshot = SnapshotReader(state)
    book = open_book(settings, snapshot.routes, database)
    ring = Ring(time())
    refill(ring, records, time())
    sampled = SampledAnswers(settings, state, database, book, snapshot)
    shipper = Shipper(
        state.log,
        records,
        [
            metrics.consume,
            overhead.consume,
            plans.consume,
            releases.consume,
            book.consume,
            ring.consume,
        ],
        annotation_consumers=[
            overhead.consume_annotations,
            feedback.consume_annotations,
            book.consume_annotations,
            sampled.consume_annotations,
        ],
        prepare=partial(upgrade, database),
    )
    stop_shipping = Event()
    thread = Thread(target=shipper.run, args=(stop_shipping,), name="shipper", daemon=True)
    sources = collectors.registry(
        (
            metrics,
            overhead,
            feedback,
            plans,
            releases,
            ObjectiveMetrics(book),
            sampled.metrics,
            collectors.GatewayCollector(state.run, wall_clock_us),
            collectors.ModelCollector(state.run, wall_clock_us),
            StatusCollector(state.run, wall_clock_us),
            collectors.ShipperCollector(lambda: shipper.status, wall_clock_us),
        )
    )
    cache_database = open_state_database(settings, busy_timeout_ms=CACHE_LOCK_MS)
    principals = PrincipalsReader(settings.workspace)
    hub = Hub(time)
    teller = Teller(hub, releases)
    registry = Registry(settings, principals, teller.changed, teller.synced)
    exposer = Exposer(state.exposure_lease)
    rollouts = Rollouts(
        database,
        registry,
        driver_of(settings),
        exposer,
        snapshot,
        lambda: gateway_statuses(state.run),
        teller.told,
        book.left,
    )
    teller.rollouts = rollouts.metrics
    sources.register(rollouts.metrics)
    notifier, alert_store = notifier_of(settings, database), AlertStore(database)
    hints = Hints(
        alert_store,
        (lambda _: None) if follows else rollouts.look_at,
        lambda found: hub.tell("alert", found._asdict()),
        time,
    )
    sources.register(AlertMetrics(notifier, hints, time))
    traces = Traces(settings, database, snapshot, lambda: book.terms.prices)
    traces.register(sources)
    ports = ControlPorts(
        records=records,
        metrics=lambda: collectors.scrape(sources)[0],
        snapshot=snapshot,
        token_hash=token_hash(bootstrap_token(settings)),
        gateways=lambda: gateway_statuses(state.run),
        statuses=lambda: read_statuses(state.run, wall_clock_us()),
        probes={"shipper": shipper_probe(shipper.status, thread.is_alive, wall_clock_us)},
        allowed_hosts=frozenset(settings.control.allowed_hosts),
        allowed_origins=frozenset(settings.control.allowed_origins),
        drills=drill_ports(state, snapshot),
        principals=principals,
        registry=None if follows else partial(registry_ports, registry, settings),
        events=hub,
        rollouts=None
        if follows
        else RolloutPorts(
            rollouts.store, rollouts.service, lambda commit: registry.store().noted(commit)
        ),
        distribution=None if follows else distribution_ports(state, snapshot, registry),
        objectives=book,
        ring=ring,
        console=console.folder(),
        breaking=None if follows else breaking_ports(settings.workspace),
        alerts=AlertPorts(notifier, alert_store, hints),
        grounding=sampled.store,
        cache=cache_ports(state, CacheStore(cache_database), snapshot),
    )
    server = ControlServer(create_app(ports), listener)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        hub.close()  # streams have no end of their own
        server.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    if parent is not None:
        loop.add_reader(parent.lifeline, stop)  # end of file: the supervisor is gone
    thread.start()
    traces.start()
    tasks = [
        asyncio.create_task(host_cache(settings, state, cache_database), name="cache"),
        asyncio.create_task(look_for_ever(book, teller_of(notifier)), name="objectives"),
        asyncio.create_task(deliver_for_ever(notifier), name="alerts"),
        asyncio.create_task(sampled.run(), name="grounding"),
        asyncio.create_task(
            tell_for_ever(hub, snapshot, None if follows else lambda: exposer.drained),
            name="events",
        ),
    ]
    if not follows:
        tasks += [
            asyncio.create_task(rollouts.control_for_ever(), name="rollouts"),
            asyncio.create_task(
                follow_for_ever(registry, settings.registry.poll_s), name="registry"
            ),
        ]
    if parent is not None:
        parent.ready()
    try:
        await server.run()
    finally:
        if parent is not None:
            loop.remove_reader(parent.lifeline)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        stop_shipping.set()
        await asyncio.to_thread(thread.join)
        await asyncio.to_thread(traces.stop)
        cache_database.close()
        database.close()


def distribution_ports(
    state: State, snapshot: "SnapshotReader", registry: Registry
) -> DistributionPorts:
    """Return what gateways on other machines are given."""

    def answers(digest: str) -> bytes | None:
        try:
            return (state.answers / f"{digest}{shelf.SUFFIX}").read_bytes()
        except OSError:
            return None

    return DistributionPorts(snapshot=snapshot, sign=registry.sign, answers=answers)


def drill_ports(state: State, snapshot: "SnapshotReader") -> DrillPorts:
    """Return what the REST of the drills needs."""
    return DrillPorts(
        rows=partial(proof_files.all_rows, state.run),
        routes=snapshot.routes,
        place=partial(drill_orders.place, state.drill_orders),
        report=partial(drill_orders.report_on, state.drill_orders),
    )


def open_state_database(settings: Settings, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Database:
    """Open the database at its newest schema.

    Raises:
        SteadyhandError: Its address is wrong, or it does not answer.
    """
    resolve = secret_resolver(settings.workspace, os.environ)
    url = settings.database_url
    if url.startswith(("env:", "file:")):
        url = resolve(url)
    database = open_database(url, busy_timeout_ms=busy_timeout_ms)
    upgrade(database)
    return database


def bootstrap_token(settings: Settings) -> str:
    """Return the bearer token of the bootstrap user; made at the first start.

    Raises:
        SecretUnavailable: It is named but not there, or others may read its file.
    """
    if settings.control.token is not None:
        return secret_resolver(settings.workspace, os.environ)(settings.control.token)
    return load_or_create_token(State(settings).control_token)


def thresholds_ms(settings: Settings) -> list[int]:
    """Return every latency budget of the workspace: each gets an edge in the histograms."""
    return [
        threshold
        for slo in settings.slo_classes.values()
        for threshold in (slo.first_content_ms, slo.whole_ms)
    ]


class SnapshotReader:
    """The snapshot in force, read again only when its file has changed."""

    def __init__(self, state: State) -> None:
        """Read nothing yet."""
        self._state = state
        self._seen: tuple[int, int] | None = None
        self._held: Snapshot | None = None

    def __call__(self) -> Snapshot | None:
        """Return it, or ``None`` if none can be used."""
        seen = _stamp(self._state.snapshots / store.CURRENT)
        if seen != self._seen or self._held is None:
            try:
                key = sign.open_key(self._state.snapshot_key)
                self._held = store.load(self._state.snapshots, key).snapshot
            except (SteadyhandError, OSError):
                return self._held
            self._seen = seen
        return self._held

    def routes(self) -> Collection[str]:
        """Return the names of the routes in force."""
        found = self()
        return () if found is None else found.routes.keys()


def gateway_statuses(run: Path) -> list[GatewayStatus]:
    """Return what each gateway process last published."""
    found = []
    for path in sorted(run.glob(collectors.BOARD.format(process="*"))):
        reading = read_board(path)
        if reading is None:
            continue
        found.append(
            GatewayStatus(
                process=int(path.stem.removeprefix("gateway-")),
                is_alive=reading.is_up(wall_clock_us()),
                snapshot_version=reading.values["snapshot_version"],
                in_flight=reading.values["in_flight"],
                requests=reading.values["http_requests"],
            )
        )
    return found


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
