"""One model on this machine: its process kept alive, its slots shared out, its prefixes warm.

The host answers for the model whatever the model does. While it loads, or after its process died,
a request is refused at once with the reason; when it works, a request gets a slot, waits for one
if that is worth it (:mod:`steadyhand.inference.admission`), or is refused. A slot is free again
when the engine says so, not when the client has left.

Warm-ups read the routes' prompts into the prefix cache whenever nobody needs the slots; a request
that would have to wait ends them.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Literal

import msgspec

from steadyhand.inference import errors, frames
from steadyhand.inference.admission import Bench, Costs, Seen, decide
from steadyhand.inference.counts import Counts
from steadyhand.inference.engines.base import ModelTable
from steadyhand.inference.lifecycle import loaded_share, restart_delay_s
from steadyhand.inference.process import LoadingFailed, ModelProcess, ProcessEnded
from steadyhand.inference.warming import Slot, Warmer

logger = logging.getLogger(__name__)

WATCH_S = 0.25
LONGEST_WAIT_S = 86_400.0
Phase = Literal["loading", "up", "down", "stopped"]


class Model:
    """See the module.

    Attributes:
        phase: ``loading``, ``up``, ``down`` (waiting to be started again) or ``stopped``.
        counts: For the board.
    """

    def __init__(self, name: str, table: ModelTable, workspace: Path) -> None:
        """Start nothing; see :meth:`run`."""
        self.phase: Phase = "loading"
        self.counts = Counts()
        self._name = name
        self._table = table
        self._workspace = workspace
        self._why_down = "it has not been started yet"
        self._process: ModelProcess | None = None
        self._slots: list[Slot] = []
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._costs = Costs()
        self._warmer = Warmer()
        self._stalled = False
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> int:
        """Requests that wait for a slot."""
        return len(self._waiters)

    @property
    def generating(self) -> int:
        """Requests that hold a slot, warm-ups not counted."""
        return sum(not slot.is_warm_up for slot in self._slots)

    @property
    def holding(self) -> int:
        """Slots that are taken, by warm-ups too, and by requests that the engine is leaving."""
        return len(self._slots)

    @property
    def pid(self) -> int:
        """Of the model's process; 0 if there is none."""
        return self._process.pid if self._process is not None else 0

    def loaded_share(self) -> float:
        """Return how much of the model is in memory, 0 to 1."""
        if self.phase == "up":
            return 1.0
        if self._process is None:
            return 0.0
        return loaded_share(self._process.resident_bytes(), self._file_bytes())

    def keep_warm(self, prefixes: Sequence[str]) -> None:
        """Read these system prompts ahead of requests, from now on and after each restart."""
        if self._table.keep_warm:
            self._warmer.want(prefixes)

    async def run(self) -> None:
        """Keep a process running until cancelled."""
        failures = 0
        warmer = asyncio.create_task(self._warmer.run(self._begin_warm_up, self._end_warm_up))
        try:
            while True:
                failures = failures + 1 if not await self._run_once() else 0
                delay_s = restart_delay_s(failures)
                self.phase = "down"
                logger.warning("model %s: %s; next start in %.1f s", self._name, self._why_down,
                               delay_s)  # fmt: skip
                await asyncio.sleep(delay_s)
                self.counts.restarts += 1
        finally:
            warmer.cancel()
            self.phase = "stopped"
            self._let_all_go()

    async def _run_once(self) -> bool:
        """Start a process and stay until it ends; tell whether it had answered anything."""
        self.phase, self._stalled = "loading", False
        answered = self.counts.answered
        began_s = monotonic()
        load = frames.Load(
            self._table.engine, msgspec.json.encode(self._table), str(self._workspace.resolve())
        )
        try:
            process = await ModelProcess.start(load)
        except OSError as error:
            self._why_down = f"no process can be started: {error}"
            return False
        self._process = process
        watcher = asyncio.create_task(self._watch(process))
        try:
            await process.loaded()
            self.phase = "up"
            self._warmer.all_cold()
            logger.info("model %s is loaded after %.1f s", self._name, monotonic() - began_s)
            code = await process.serve()
            self._why_down = f"its process ended with {code}"
        except LoadingFailed as error:
            self.counts.load_failures += 1
            self._why_down = f"it cannot be loaded: {error}"
        except ProcessEnded as error:
            self.counts.load_failures += 1
            self._why_down = f"its process ended with {error.code} while it was loading"
        finally:
            watcher.cancel()
            self.phase = "down"
            self._process = None
            await process.end()
            self._let_all_go()
        return self.counts.answered > answered

    async def _watch(self, process: ModelProcess) -> None:
        """Kill a process that works and says nothing: it hangs."""
        while True:
            await asyncio.sleep(WATCH_S)
            if not process.running:
                continue
            if monotonic() - process.heard_s > self._table.stall_timeout_s:
                logger.error("model %s says nothing any more and is killed", self._name)
                self.counts.stalls += 1
                self._stalled = True
                process.kill()
                return

    async def acquire(self, body: bytes, remaining_s: float, *, is_stream: bool) -> Slot:
        """Return a slot in which ``body`` is being answered; give it back by :meth:`release`.

        Raises:
            ModelRefused: Which of them says why; at once, or when the wait has become too long.
        """
        self.require_up()
        verdict = decide(remaining_s, self._bench(), self._costs, is_stream=is_stream)
        if verdict.refusal is not None:
            raise self._no_time(verdict.refusal, verdict.wait_s)
        if self._has_room():
            return self._begin(body)
        self._end_warm_ups()
        limit_s = remaining_s - self._costs.need_s(is_stream=is_stream)
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(max(0.0, limit_s) if limit_s < LONGEST_WAIT_S else None):
                await waiter
        except TimeoutError:
            self._forget(waiter)
            raise self._no_time("model_busy", verdict.wait_s) from None
        except asyncio.CancelledError:
            self._forget(waiter)
            raise
        self._waiters.remove(waiter)
        self.require_up()
        return self._begin(body)

    def require_up(self) -> None:
        """Raise if the model cannot answer now.

        Raises:
            ModelRefused: Why not.
        """
        if self.phase == "up":
            return
        if self.phase == "loading":
            percent = round(100 * self.loaded_share())
            raise errors.ModelLoading(
                f"the model {self._name} is being loaded ({percent} % is in memory)",
                retry_after_s=1,
            )
        if self.phase == "stopped":
            raise errors.ModelStopping(f"the model {self._name} is being put away")
        raise errors.ModelUnavailable(
            f"the model {self._name} is down: {self._why_down}",
            hint="see the log of 'models' for what the engine said",
            retry_after_s=1,
        )

    def crashed(self) -> errors.ModelRefused:
        """Return what became of a request whose process has died."""
        self.counts.crashed += 1
        if self._stalled:
            return errors.ModelStalled(f"the model {self._name} said nothing any more")
        if self.phase == "stopped":
            return errors.ModelStopping(f"the model {self._name} is being put away")
        return errors.ModelCrashed(f"the process of the model {self._name} died", retry_after_s=1)

    def release(self, slot: Slot, seen: Seen | None) -> None:
        """Give a slot back; its place is free when the engine is done with it.

        Args:
            slot: As :meth:`acquire` gave it.
            seen: How it went, or ``None`` if that says nothing about times.
        """
        if seen is not None:
            self._costs = self._costs.after(seen)
        if slot.generation.is_over:
            self._free(slot)
            return
        slot.generation.stop()
        waiting = asyncio.create_task(self._free_later(slot))
        self._tasks.add(waiting)
        waiting.add_done_callback(self._tasks.discard)

    async def _free_later(self, slot: Slot) -> None:
        await slot.generation.over()
        self._free(slot)

    def _free(self, slot: Slot) -> None:
        if slot in self._slots:
            self._slots.remove(slot)
        self._grant()
        if not self._waiters:
            self._warmer.wake()

    def _grant(self) -> None:
        """Wake as many as there are places."""
        free = self._table.parallel - len(self._slots)
        granted = sum(waiter.done() for waiter in self._waiters)
        for waiter in self._waiters:
            if granted >= free:
                return
            if not waiter.done():
                waiter.set_result(None)
                granted += 1

    def _begin(self, body: bytes, *, is_warm_up: bool = False) -> Slot:
        if self._process is None:
            raise errors.ModelUnavailable(f"the model {self._name} is down: {self._why_down}")
        slot = Slot(monotonic(), self._process.begin(body), is_warm_up)
        self._slots.append(slot)
        return slot

    def _has_room(self) -> bool:
        return len(self._slots) + len(self._waiters) < self._table.parallel

    def _bench(self) -> Bench:
        now_s = monotonic()
        ages_s = [now_s - slot.since_s for slot in self._slots if not slot.is_warm_up]
        table = self._table
        return Bench(table.parallel, ages_s, len(self._waiters), table.max_queue)

    def _forget(self, waiter: "asyncio.Future[None]") -> None:
        if waiter in self._waiters:
            self._waiters.remove(waiter)
        self._grant()

    def _let_all_go(self) -> None:
        """Wake whoever waits, so that each is told what has become of the model."""
        self._slots.clear()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _begin_warm_up(self, body: bytes) -> Slot | None:
        """Return a slot for a warm-up, or ``None`` while others need them."""
        if self.phase != "up" or not self._has_room():
            return None
        return self._begin(body, is_warm_up=True)

    def _end_warm_up(self, slot: Slot, *, is_done: bool) -> None:
        self.counts.warm_ups += is_done
        self.release(slot, None)

    def _end_warm_ups(self) -> None:
        for slot in self._slots:
            if slot.is_warm_up:
                slot.generation.stop()

    def _no_time(self, refusal: str, wait_s: float) -> errors.ModelRefused:
        kind = errors.ModelQueueFull if refusal == "model_queue_full" else errors.ModelBusy
        return kind(
            f"the model {self._name} is busy: {self.generating} at work, {self.waiting} waiting, "
            f"{wait_s:.1f} s to go",
            hint="raise parallel or max_queue, or let the route fall back",
            retry_after_s=max(1.0, wait_s),
        )

    def _file_bytes(self) -> int:
        try:
            return (self._workspace / self._table.model_file).stat().st_size
        except OSError:
            return 0
