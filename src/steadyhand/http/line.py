"""Callers that wait for a connection: first in, first out, each until its own time has passed.

Nobody overtakes, and whoever leaves (cancelled, or late) leaves no hole: the line holds only
callers that still wait. A caller whose time has passed is never handed a connection, not even in
the turn of the loop in which it passes.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from steadyhand.http.failures import UpstreamError
from steadyhand.http.upstream import UpstreamConnection

_LONGEST_S = 86_400.0


class Waiter:
    """One caller.

    Attributes:
        future: Done with its connection, or with why there is none.
        due_s: Monotonic second at which its time has passed.
        timer: What says so.
        wants_fresh: A kept connection is of no use to it.
    """

    __slots__ = ("due_s", "future", "timer", "wants_fresh")

    timer: asyncio.TimerHandle

    def __init__(
        self, future: asyncio.Future[UpstreamConnection], due_s: float, *, wants_fresh: bool
    ) -> None:
        self.future = future
        self.due_s = due_s
        self.wants_fresh = wants_fresh


class Line:
    """The callers that wait for a connection of one pool."""

    __slots__ = ("_put_back", "_waiters")

    def __init__(self, put_back: Callable[[UpstreamConnection], None]) -> None:
        """``put_back`` takes what was handed to a caller that was cancelled in the same turn."""
        self._waiters: deque[Waiter] = deque()
        self._put_back = put_back

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiters)

    @property
    def wants_fresh(self) -> bool:
        """Whether the longest waiting caller has no use for a kept connection."""
        return bool(self._waiters) and self._waiters[0].wants_fresh

    def join(
        self,
        due_s: float,
        why_late: Callable[[int], UpstreamError],
        *,
        is_first: bool,
        wants_fresh: bool,
    ) -> Waiter:
        """Stand in line; what is returned must be waited for.

        Args:
            due_s: Monotonic second at which it is of no use any more.
            why_late: Called then with the number of callers before this one; returns what to raise.
            is_first: This caller has had its turn already: before all others.
            wants_fresh: Take no connection that was kept.
        """
        loop = asyncio.get_running_loop()
        waiter = Waiter(loop.create_future(), due_s, wants_fresh=wants_fresh)
        if is_first:
            self._waiters.appendleft(waiter)
        else:
            self._waiters.append(waiter)

        def expire() -> None:
            if not waiter.future.done():
                why = why_late(self._waiters.index(waiter))
                self._drop(waiter)
                waiter.future.set_exception(why)

        waiter.timer = loop.call_later(min(max(due_s - monotonic(), 0.0), _LONGEST_S), expire)
        return waiter

    async def wait(self, waiter: Waiter) -> UpstreamConnection:
        """Wait until it is the turn of ``waiter``, or its time has passed.

        Raises:
            UpstreamError: Why there is no connection for it.
        """
        try:
            return await waiter.future
        except asyncio.CancelledError:
            if waiter.future.cancelled():
                self._drop(waiter)
            elif waiter.future.exception() is None:  # handed over in the same turn
                self._put_back(waiter.future.result())
            raise
        finally:
            waiter.timer.cancel()

    def hand(self, connection: UpstreamConnection) -> bool:
        """Give ``connection`` to whoever has waited longest and can use it; tell if anyone can."""
        now_s = monotonic()
        for waiter in self._waiters:
            if waiter.future.done() or waiter.due_s <= now_s:
                continue  # cancelled or late in this turn; it removes itself when it wakes
            if waiter.wants_fresh and connection.is_kept:
                continue
            self._waiters.remove(waiter)
            waiter.future.set_result(connection)
            return True
        return False

    def refuse(self, failure: UpstreamError) -> None:
        """Tell whoever has waited longest that there is no connection for it."""
        for waiter in self._waiters:
            if not waiter.future.done():
                self._waiters.remove(waiter)
                waiter.future.set_exception(failure)
                return

    def refuse_all(self, failure: UpstreamError) -> None:
        """Send everybody away."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.future.done():
                waiter.future.set_exception(failure)

    def _drop(self, waiter: Waiter) -> None:
        with suppress(ValueError):  # sent away in the turn in which it was cancelled
            self._waiters.remove(waiter)
