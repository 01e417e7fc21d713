"""What the processes need of traces: who is told of them, and the thread that sends spans."""

import os
from collections.abc import Callable, Mapping
from threading import Event, Thread
from typing import Final
from urllib.parse import urlsplit

import msgspec
from prometheus_client import CollectorRegistry

from steadyhand import __version__
from steadyhand.app.state import secret_resolver
from steadyhand.core.errors import SteadyhandError
from steadyhand.http.posting import Posted, post
from steadyhand.records.clock import wall_clock_us
from steadyhand.records.outbox.store import Outbox
from steadyhand.records.outbox.told import NOBODY, Told
from steadyhand.records.prices import Prices
from steadyhand.records.record import Record
from steadyhand.routing.planning.timeline import timeline
from steadyhand.settings.model import Settings
from steadyhand.snapshot.model import ProviderEntry, Snapshot
from steadyhand.storage.database import Database
from steadyhand.telemetry.settings import TraceSettings
from steadyhand.telemetry.traces import attributes as names
from steadyhand.telemetry.traces.encoding import encode, rejected
from steadyhand.telemetry.traces.evaluation import judges
from steadyhand.telemetry.traces.exporter import Exporter, Terms, Wire
from steadyhand.telemetry.traces.known import Known, Prompt
from steadyhand.telemetry.traces.metrics import TraceMetrics
from steadyhand.telemetry.traces.sampling import Sampling
from steadyhand.telemetry.traces.span import Value

MOST_SNAPSHOTS: Final = 32
"""Whose prompts are known at once; records of older ones say no prompt."""
GOODBYE_S: Final = 3.0
"""How long the end waits for the last answer of a receiver."""


def told_of(settings: TraceSettings) -> Told:
    """Return what of all that is stored becomes spans."""
    return Told(_sampling(settings).wants, judges) if settings.url else NOBODY


def _sampling(settings: TraceSettings) -> Sampling:
    return Sampling(settings.sample_percent, settings.troubles, settings.drills)


class Knowing:
    """Says what records do not say: from the snapshots in force, as they come."""

    def __init__(
        self,
        snapshot: Callable[[], Snapshot | None],
        prices: Callable[[], Prices],
        *,
        content: bool,
    ) -> None:
        """Take what tells the snapshot in force and the prices."""
        self._snapshot = snapshot
        self._prices = prices
        self._content = content
        self._seen = ""
        self._providers: Mapping[str, str] = {}
        self._prompts: dict[str, dict[str, str]] = {}

    def __call__(self) -> Known:
        """Return what is known now."""
        found = self._snapshot()
        if found is not None and found.digest != self._seen:
            self._seen = found.digest
            self._learn(found)
        return Known(self._prices(), self._providers, timeline, self._prompt, self._content)

    def _learn(self, snapshot: Snapshot) -> None:
        self._providers = {
            name: names.provider_name(name, _host(entry))
            for name, entry in snapshot.providers.items()
        }
        routes = snapshot.routes.values()
        self._keep(snapshot.digest, {one.name: one.prompt.name for one in routes if one.prompt})
        for released in snapshot.releases.values():
            route = released.route
            self._keep(released.digest, {route.name: route.prompt.name} if route.prompt else {})

    def _keep(self, digest: str, prompts: dict[str, str]) -> None:
        self._prompts.pop(digest, None)
        self._prompts[digest] = prompts
        while len(self._prompts) > MOST_SNAPSHOTS:
            del self._prompts[next(iter(self._prompts))]

    def _prompt(self, record: Record) -> Prompt | None:
        version = record.route_release or record.release
        name = self._prompts.get(version, {}).get(record.route)
        return None if name is None else Prompt(name, version)


class Traces:
    """The traces of one control process; nothing where they are sent nowhere."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        snapshot: Callable[[], Snapshot | None],
        prices: Callable[[], Prices],
    ) -> None:
        """Take the parts; nothing is sent yet."""
        self._exporter = None
        if settings.traces.url:
            knowing = Knowing(snapshot, prices, content=settings.traces.content)
            self._exporter = _exporter(settings, database, knowing)
        self._stop = Event()
        self._thread: Thread | None = None

    def register(self, sources: CollectorRegistry) -> None:
        """Have what is counted be shown."""
        if self._exporter is not None:
            sources.register(TraceMetrics(self._exporter.status, wall_clock_us))

    def start(self) -> None:
        """Begin to send, in a thread."""
        if self._exporter is not None:
            run = self._exporter.run
            self._thread = Thread(target=run, args=(self._stop,), name="traces", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Send once more, and end; what is left waits for the next start. Blocks for seconds."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(GOODBYE_S)


def _exporter(settings: Settings, database: Database, knowing: Knowing) -> Exporter:
    told = settings.traces
    about: dict[str, Value] = {
        names.SERVICE_NAME: told.service_name,
        names.SERVICE_VERSION: __version__,
    }
    return Exporter(
        Outbox(database),
        knowing,
        _sampling(told).wants,
        Wire(lambda spans: encode(spans, about, __version__), poster(settings), rejected),
        Terms(told.timeout_s, told.keep_days * 86_400, told.max_waiting),
        wall_clock_us,
    )


def poster(settings: Settings) -> Callable[[bytes], Posted]:
    """Return what sends a body to the receiver, with the secrets as they are then. Blocks."""
    told, resolve = settings.traces, secret_resolver(settings.workspace, os.environ)
    fixed = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}

    def send(body: bytes) -> Posted:
        try:  # each time: a secret may be another one now
            own = {name: resolve(where) for name, where in told.headers.items()}
        except SteadyhandError as error:
            return Posted(0, problem=str(error))
        return post(told.url, body, {**own, **fixed}, told.timeout_s)

    return send


class _Address(msgspec.Struct):
    base_url: str = ""


def _host(entry: ProviderEntry) -> str:
    """Return the host that a provider is asked at; empty if its settings name none."""
    try:
        found = msgspec.json.decode(entry.settings, type=_Address)
    except msgspec.DecodeError:
        return ""
    return urlsplit(found.base_url).hostname or ""
