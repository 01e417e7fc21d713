"""What runs beside a request: its tasks, which of them have ended, and the wait for the next."""

import asyncio
from collections.abc import Coroutine
from functools import partial
from math import ceil
from time import monotonic
from typing import Any


class Race:
    """Tasks by the place of their candidate."""

    __slots__ = ("_ended", "_tasks", "_waiter")

    def __init__(self) -> None:
        """Nothing runs."""
        self._tasks: dict[int, asyncio.Task[Any]] = {}
        self._ended: list[tuple[int, asyncio.Task[Any]]] = []
        self._waiter: asyncio.Future[None] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing runs, and nothing has ended that was not taken yet."""
        return not self._tasks and not self._ended

    def __contains__(self, place: int) -> bool:
        """Tell whether the task of ``place`` runs."""
        return place in self._tasks

    def spawn(self, place: int, work: Coroutine[None, None, Any]) -> None:
        """Run ``work`` beside what runs."""
        task = asyncio.create_task(work)
        self._tasks[place] = task
        task.add_done_callback(partial(self._has_ended, place))

    def cancel(self, place: int) -> None:
        """Cancel the task of ``place``, if it runs; it does not become news."""
        task = self._tasks.pop(place, None)
        if task is not None:
            task.cancel()

    def release(self, place: int) -> asyncio.Task[Any] | None:
        """Return the task of ``place``, which runs on but is no part of the race any more."""
        return self._tasks.pop(place, None)

    def cancel_all(self) -> None:
        """Cancel every task."""
        for place in list(self._tasks):
            self.cancel(place)

    def take(self) -> tuple[int, asyncio.Task[Any]] | None:
        """Return the task that has ended first of those not taken, with its place."""
        return self._ended.pop(0) if self._ended else None

    async def wait(self, until_s: float) -> None:
        """Wait until a task ends or until ``until_s`` (monotonic, ``inf`` for no end)."""
        if self._ended:
            return
        loop = asyncio.get_running_loop()
        waiter = self._waiter = loop.create_future()
        timer = None
        left_s = until_s - monotonic()
        if left_s < 1e9:
            whole_ms_s = ceil(max(left_s, 0.0) * 1000) / 1000  # uvloop rounds: never wake too soon
            timer = loop.call_later(whole_ms_s, self._wake)
        try:
            await waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    def _has_ended(self, place: int, task: asyncio.Task[Any]) -> None:
        if not task.cancelled():
            task.exception()  # seen, also if nobody takes it: it lost
        if self._tasks.get(place) is task:
            del self._tasks[place]
            self._ended.append((place, task))
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
