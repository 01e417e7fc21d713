"""The host of models on this machine: a role of the supervisor; each model has its own process.

It reads the snapshot as gateways do. A local provider that appears is started, one that is gone or
whose table has changed is ended, and one that stays learns which prompts to keep warm.
"""

import asyncio
import logging
import signal
from dataclasses import dataclass

import msgspec
import uvloop

from steadyhand.app.children import Parent
from steadyhand.app.publish import LOCAL
from steadyhand.app.state import State
from steadyhand.core.errors import SteadyhandError
from steadyhand.http.limits import ServerLimits
from steadyhand.http.server import Server
from steadyhand.http.unix import serve_at
from steadyhand.inference.engines.base import ModelTable
from steadyhand.inference.model import Model
from steadyhand.inference.service import Service, refusal
from steadyhand.records.clock import wall_clock_us
from steadyhand.routing.model import deployments_of
from steadyhand.settings.model import Settings
from steadyhand.snapshot import sign, store
from steadyhand.snapshot.model import ProviderEntry, Snapshot
from steadyhand.telemetry.board import Board
from steadyhand.telemetry.model_names import MODEL_SLOTS, REFUSALS

logger = logging.getLogger(__name__)

PUBLISH_S = 0.25
LIMITS = ServerLimits(keep_alive_s=3600.0, head_timeout_s=30.0, body_timeout_s=60.0)
"""Its only clients are our gateways."""


def run(settings: Settings, parent: Parent | None = None) -> None:
    """Host the models of the workspace until SIGTERM, or until the supervisor is gone.

    Raises:
        SteadyhandError: There is no snapshot to read.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(ModelHost(settings), parent))


async def _serve(host: "ModelHost", parent: Parent | None) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    changed = asyncio.Event()
    changed.set()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, changed.set)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP, signal.SIGUSR2})
    if parent is not None:
        loop.add_reader(parent.lifeline, stop.set)  # end of file: the supervisor is gone
    following = asyncio.create_task(host.follow(changed, parent))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({following, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if parent is not None:
        loop.remove_reader(parent.lifeline)
    stopping.cancel()
    following.cancel()
    await host.close()
    if not stop.is_set():
        await following  # it has failed: say how


@dataclass(slots=True)
class Hosted:
    """One local provider at work."""

    entry: ProviderEntry
    model: Model
    server: Server
    board: Board
    task: asyncio.Task[None]

    def publish(self) -> None:
        """Write its numbers on its board."""
        model, counts = self.model, self.model.counts
        values = {
            "up": int(model.phase == "up"),
            "loading": int(model.phase == "loading"),
            "loaded_permille": round(1000 * model.loaded_share()),
            "pid": model.pid,
            "generating": model.generating,
            "waiting": model.waiting,
            "restarts": counts.restarts,
            "load_failures": counts.load_failures,
            "stalls": counts.stalls,
            "answered": counts.answered,
            "stopped": counts.stopped,
            "crashed": counts.crashed,
            "prompt_tokens": counts.prompt_tokens - counts.cached_tokens,
            "cached_tokens": counts.cached_tokens,
            "output_tokens": counts.output_tokens,
            "warm_ups": counts.warm_ups,
        }
        values |= {f"refused_{code}": counts.refused.get(code, 0) for code in REFUSALS}
        self.board.publish(values)


class ModelHost:
    """All models of one workspace."""

    def __init__(self, settings: Settings) -> None:
        """Start nothing."""
        self._workspace = settings.workspace
        self._drain_s = settings.server.drain_s
        self._state = State(settings)
        self._hosted: dict[str, Hosted] = {}
        self._version = 0

    async def follow(self, changed: asyncio.Event, parent: Parent | None) -> None:
        """Keep to the snapshot in force; ``changed`` is set when there may be another."""
        publishing = asyncio.create_task(self._publish_for_ever())
        try:
            while True:
                await changed.wait()
                changed.clear()
                await self._take_over()
                if parent is not None:
                    parent.ready()
                    parent = None
        finally:
            publishing.cancel()

    async def close(self) -> None:
        """Let what is being answered end within the drain time, then end every model."""
        await asyncio.gather(*(self._end(name) for name in tuple(self._hosted)))

    async def _take_over(self) -> None:
        try:
            key = sign.open_key(self._state.snapshot_key)
            loaded = store.load(self._state.snapshots, key, not_older_than_version=self._version)
        except (SteadyhandError, OSError) as error:
            if not self._version:
                raise
            logger.error("keeping the models as they are: %s", error)  # noqa: TRY400 - no bug
            return
        snapshot = loaded.snapshot
        self._version = snapshot.version
        wanted = {n: entry for n, entry in snapshot.providers.items() if entry.kind == LOCAL}
        for name, hosted in tuple(self._hosted.items()):
            if wanted.get(name) != hosted.entry:
                await self._end(name)
        for name, entry in wanted.items():
            if name not in self._hosted:
                self._hosted[name] = await self._start(name, entry)
            self._hosted[name].model.keep_warm(prompts_of(snapshot, name))

    async def _start(self, name: str, entry: ProviderEntry) -> Hosted:
        table = msgspec.json.decode(entry.settings, type=ModelTable)
        model = Model(name, table, self._workspace)
        path = self._state.model_socket(name)
        server = await serve_at(path, Service(model).handle, LIMITS, refusal)
        board = Board.create(self._state.model_board(name), wall_clock_us, MODEL_SLOTS)
        return Hosted(entry, model, server, board, asyncio.create_task(model.run()))

    async def _end(self, name: str) -> None:
        hosted = self._hosted.pop(name)
        await hosted.server.close(self._drain_s)
        hosted.task.cancel()
        await asyncio.wait({hosted.task})
        for path in (self._state.model_socket(name), self._state.model_board(name)):
            path.unlink(missing_ok=True)

    async def _publish_for_ever(self) -> None:
        while True:
            for hosted in self._hosted.values():
                hosted.publish()
            await asyncio.sleep(PUBLISH_S)


def prompts_of(snapshot: Snapshot, provider: str) -> list[str]:
    """Return the instructions of every route that may ask this provider, each once."""
    found: dict[str, None] = {}
    for route in snapshot.routes.values():
        for rung in route.rungs:
            prompt = rung.prompt or route.prompt
            text = prompt.plain_text if prompt is not None else ""
            if text and any(d.provider == provider for d in deployments_of(rung)):
                found[text] = None
    return list(found)
