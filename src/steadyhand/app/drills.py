"""Drills in one gateway process: who drills, when not, and what becomes of the results.

Every process keeps the book of proofs and tells the others. One of them drills: the one that holds
a lock, so that there is always one while any lives, and never two. It drills one rung at a time,
by requests that are bounded like any other, and none while this process is busy or stops.
"""

import asyncio
import logging
from asyncio import timeout, to_thread
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import random
from time import monotonic

from steadyhand.app import proof_files
from steadyhand.app.exclusion import Lock, try_alone
from steadyhand.app.listener import ServerCounters
from steadyhand.app.state import State
from steadyhand.gateway.drill import Drilled, Order, drill, rungs_of
from steadyhand.gateway.handler import Gateway
from steadyhand.records.clock import wall_clock_us
from steadyhand.records.record import Record
from steadyhand.routing import drill_orders
from steadyhand.routing.drill_orders import Outcome, Report
from steadyhand.routing.drilling import NOT_PROVEN, PROVEN, RungId
from steadyhand.routing.model import DeploymentId
from steadyhand.routing.proofs import ProofBook, Row, Turned
from steadyhand.routing.settings import DrillSettings
from steadyhand.telemetry.status import RungStatus

logger = logging.getLogger(__name__)

TICK_S = 1.0
WRITE_S = 10.0
"""Proofs are told to the others at least this often, so that they know that this process lives."""
GRACE_S = 2.0
"""A drill ends by its own limits; this much later it is ended from outside."""


@dataclass(frozen=True, slots=True)
class DrillPorts:
    """What drills need of their process.

    Attributes:
        append: Takes the record of each drill.
        draw: Returns a number in [0, 1).
        state_of: Returns the state of a deployment's breaker.
        is_busy: Tells whether this process has better things to do.
    """

    append: Callable[[Record], object]
    draw: Callable[[], float] = random
    state_of: Callable[[DeploymentId], str] = lambda deployment: "closed"
    is_busy: Callable[[], bool] = lambda: False


class Drills:
    """See the module.

    Attributes:
        book: What is known of every rung.
        leads: Whether this process is the one that drills.
    """

    def __init__(
        self,
        book: ProofBook,
        gateway: Gateway,
        settings: DrillSettings,
        state: State,
        ports: DrillPorts,
    ) -> None:
        """Take over what is served; nothing is drilled yet."""
        self.book = book
        self._gateway = gateway
        self._settings = settings
        self._ports = ports
        self._order = Order(settings.prompt, settings.max_tokens, settings.timeout_s)
        self._own = state.proofs(gateway.process)
        self._readers = proof_files.Readers(state.run, self._own)
        self._lock_file = state.drill_lock
        self._folder = state.drill_orders
        self._lock: Lock | None = None
        self._served: object = None
        self._told: Sequence[Row] = ()
        self._told_s = 0.0
        self._has_failed = False
        self._serve()

    @property
    def leads(self) -> bool:
        """Whether this process is the one that drills."""
        return self._lock is not None

    async def watch(self) -> None:
        """Keep the book, and share it, until cancelled."""
        while True:
            self._serve()
            self._judge()
            await self._share()
            await asyncio.sleep(TICK_S)

    async def run(self) -> None:
        """Drill what is due or ordered, until cancelled."""
        try:
            while True:
                if self._lock is None:
                    self._lock = try_alone(self._lock_file)
                if self._lock is not None:
                    await self._turn()
                await asyncio.sleep(TICK_S)
        finally:
            if self._lock is not None:
                self._lock.release()
                self._lock = None

    def status(self) -> list[RungStatus]:
        """Return how every rung is, for the status file."""
        return [
            RungStatus(
                *row.rung,
                proven_us=row.proven_us,
                proven_by=row.by,
                is_proven=row.verdict in PROVEN,
                reason=row.reason if row.failures else "",
            )
            for row in self.book.rows(monotonic(), wall_clock_us())
        ]

    async def drill(self, rung: RungId) -> Drilled | None:
        """Drill one rung now; ``None`` if it is not served, or if the drill itself broke.

        Bounded in time, whatever is asked does.
        """
        found = None
        reason = "internal_error"
        try:
            async with timeout(self._settings.timeout_s + GRACE_S):
                found = await drill(self._gateway, rung, self._order, self._ports.draw())
        except TimeoutError:
            reason = "total_timeout"
        except Exception:
            logger.exception("a drill of %s broke", _name(rung))
        if found is not None:
            self._ports.append(found.record)
            self.book.drilled(rung, found.result, found.reason, monotonic())
        else:
            self.book.drilled(rung, None, reason, monotonic())
        self._judge()
        return found

    async def _turn(self) -> None:
        order = None
        with suppress(OSError):
            order = await to_thread(drill_orders.next_order, self._folder)
        if order is not None:
            await self._carry_out(order)
            return
        rung = self.book.next_due(monotonic())
        if rung is not None and not self._ports.is_busy():
            await self.drill(rung)

    async def _carry_out(self, order: drill_orders.Order) -> None:
        """Drill what was ordered, one after another, and say how each ended."""
        wanted = [rung for rung in self.book.proofs if order.route in ("", rung.route)]
        outcomes: tuple[Outcome, ...] = ()
        await self._report(order.name, Report(len(wanted)))
        for rung in wanted:
            began_s = monotonic()
            found = await self.drill(rung)
            took_ms = round((monotonic() - began_s) * 1e3, 1)
            is_proven, reason = (found.result, found.reason) if found else (None, "broke")
            outcomes += (Outcome(rung, is_proven, reason, took_ms),)
            await self._report(order.name, Report(len(wanted), outcomes))

    async def _report(self, name: str, report: Report) -> None:
        with suppress(OSError):  # whoever ordered it sees that nothing comes
            await to_thread(drill_orders.write_report, self._folder, name, report)

    def _serve(self) -> None:
        serving = self._gateway.serving
        if serving is not self._served:
            self._served = serving
            rungs = [rung for ladder in serving.ladders.values() for rung in rungs_of(ladder)]
            routes = serving.snapshot.routes
            undrilled = {name for name, route in routes.items() if not route.is_drilled}
            self.book.serve(rungs, undrilled, monotonic())

    def _judge(self) -> None:
        turned = self.book.judge(monotonic(), self._ports.state_of)
        if self.leads:
            for each in turned:
                _say(each)

    async def _share(self) -> None:
        """Tell the others what changed here, and learn what changed there."""
        others = await to_thread(self._readers.changed)
        now_s, now_us = monotonic(), wall_clock_us()
        self.book.take(others, now_s, now_us)
        rows = self.book.rows(now_s, now_us)
        if _facts(rows) == _facts(self._told) and now_s - self._told_s < WRITE_S:
            return
        try:
            await to_thread(proof_files.write, self._own, rows)
        except OSError as error:
            if not self._has_failed:
                logger.warning("proofs of rungs cannot be told to other processes: %s", error)
            self._has_failed = True
        else:
            self._told, self._told_s, self._has_failed = rows, now_s, False


def busy(counters: ServerCounters, max_in_flight: int) -> Callable[[], bool]:
    """Return what tells whether requests were refused since it was last asked, or soon will be."""
    seen = 0

    def is_busy() -> bool:
        nonlocal seen
        before, seen = seen, counters.overload_lag + counters.overload_in_flight
        return seen > before or counters.in_flight * 2 > max_in_flight

    return is_busy


def _facts(rows: Sequence[Row]) -> list[tuple[object, ...]]:
    """Return what others should hear of at once; that traffic goes on is not news."""
    return [(row.rung, row.verdict, row.failures, row.reason, row.tried_us) for row in rows]


def _say(turned: Turned) -> None:
    name = _name(turned.rung)
    if turned.verdict in NOT_PROVEN:
        why = turned.reason or "no request and no drill within its window"
        logger.warning("%s is not proven and is planned around: %s", name, why)
    else:
        logger.warning("%s is proven again", name)


def _name(rung: RungId) -> str:
    whom = f" {rung.provider}/{rung.model}" if rung.provider else ""
    return f"rung {rung.rung} ({rung.kind}{whom}) of route {rung.route}"
