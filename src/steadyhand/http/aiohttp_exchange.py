"""One request that aiohttp carries: its phase, from aiohttp's traces, and what that counts."""

import asyncio
from math import inf
from time import monotonic
from types import SimpleNamespace
from typing import Any

import aiohttp

from steadyhand.http.exchange_clock import ExchangeClock, Phase
from steadyhand.http.messages import Limits
from steadyhand.http.traffic import Traffic


class Exchange:
    """A request on its way, sent once or twice.

    Attributes:
        clock: Its times.
        bound: What ends the wait for the head of its response; moved as its phase changes.
        is_kept: It went out on a kept connection.
        is_headed: Its response has a head; what still leaves of it moves nothing any more.
    """

    def __init__(self, limits: Limits, length: int, traffic: Traffic) -> None:
        """Begin now; ``length`` is the body's."""
        self.clock = ExchangeClock(limits, monotonic())
        self.bound: asyncio.Timeout | None = None
        self.is_kept = self.is_headed = False
        self._length = self._left = length
        self._traffic = traffic
        self._is_queued = False

    def restart(self) -> None:
        """Stand before the sending, the first or the second time."""
        self.bound = None
        self._left = self._length
        self.enter(Phase.QUEUED)

    def enter(self, phase: Phase) -> None:
        """Note a phase and move the time that the caller waits at most."""
        if self.is_headed:
            return
        self.clock.enter(phase, monotonic())
        if self.bound is not None and not self.bound.expired():
            self.bound.reschedule(on_loop_clock(self.clock.due()[0]))

    def queue(self) -> None:
        """Count a wait for a connection."""
        self._is_queued = True
        self._traffic.waiting += 1

    def unqueue(self) -> None:
        """Count the end of the wait, if there was one."""
        self._traffic.waiting -= self._is_queued
        self._is_queued = False

    def opened(self) -> None:
        """Count a connection that stands."""
        self.is_kept = False
        self._traffic.opened += 1
        self.enter(Phase.SENDING)

    def reused(self) -> None:
        """Count a kept connection."""
        self.is_kept = True
        self._traffic.reused += 1
        self.enter(Phase.SENDING)

    def sending(self, length: int) -> None:
        """Note that ``length`` bytes of the body are about to leave."""
        self._left -= length
        self.enter(Phase.SENDING if self._left > 0 else Phase.SENT)


def traces() -> aiohttp.TraceConfig:
    """Return hooks that tell each exchange how far it has come."""
    hooks = aiohttp.TraceConfig()
    hooks.on_connection_queued_start.append(_queued)
    hooks.on_connection_queued_end.append(_unqueued)
    hooks.on_connection_create_start.append(_opening)
    hooks.on_connection_create_end.append(_opened)
    hooks.on_connection_reuseconn.append(_reused)
    hooks.on_request_headers_sent.append(_head_sent)
    hooks.on_request_chunk_sent.append(_chunk_sent)
    return hooks


def on_loop_clock(at_s: float) -> float | None:
    """Return a point of ``time.monotonic`` on the clock of the running loop."""
    if at_s == inf:
        return None
    return asyncio.get_running_loop().time() + at_s - monotonic()


def _exchange(context: SimpleNamespace) -> Exchange:
    found: Exchange = context.trace_request_ctx
    return found


async def _queued(session: object, context: SimpleNamespace, params: object) -> None:
    _exchange(context).queue()


async def _unqueued(session: object, context: SimpleNamespace, params: object) -> None:
    _exchange(context).unqueue()


async def _opening(session: object, context: SimpleNamespace, params: object) -> None:
    _exchange(context).enter(Phase.OPENING)


async def _opened(session: object, context: SimpleNamespace, params: object) -> None:
    _exchange(context).opened()


async def _reused(session: object, context: SimpleNamespace, params: object) -> None:
    _exchange(context).reused()


async def _head_sent(session: object, context: SimpleNamespace, params: object) -> None:
    _exchange(context).sending(0)


async def _chunk_sent(session: object, context: SimpleNamespace, params: Any) -> None:
    _exchange(context).sending(len(params.chunk))
