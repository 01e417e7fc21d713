"""Finish live answers for later requests, in the background and within a bound.

An answer that comes after another rung has spoken is paid for already: it is read to its end and
offered to the stored rungs of its ladder. What it may cost is bounded by how many there are at
once, how long each may take, and how much each may say. Beyond that, late answers are cancelled
like any loser. Loss is harmless by design: a process that stops cancels them all.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine

import msgspec


class HarvestLimits(msgspec.Struct, frozen=True):
    """The most that a process spends on answers that nobody waits for.

    Attributes:
        max_at_once: Answers being finished; 0 turns harvesting off.
        max_s: Seconds that each may take.
        max_bytes: What each may say.
    """

    max_at_once: int = 32
    max_s: float = 30.0
    max_bytes: int = 1 << 20


class Harvest:
    """Owns the tasks.

    Attributes:
        limits: See :class:`HarvestLimits`.
        outcomes: Late answers by what became of them: ``kept``, ``failed``, ``capped`` ...
    """

    def __init__(self, limits: HarvestLimits | None = None) -> None:
        """Finish nothing yet."""
        self.limits = limits or HarvestLimits()
        self.outcomes: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[str]] = set()

    @property
    def has_room(self) -> bool:
        """Whether one more may be finished."""
        return len(self._tasks) < self.limits.max_at_once

    def take(self, work: Coroutine[None, None, str]) -> None:
        """Run ``work`` to its end or its limit; it returns what became of the answer."""
        task = asyncio.create_task(self._bounded(work))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def close(self) -> None:
        """Cancel what is left."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _bounded(self, work: Coroutine[None, None, str]) -> str:
        try:
            async with asyncio.timeout(self.limits.max_s):
                return await work
        except TimeoutError:
            return "capped"

    def _ended(self, task: asyncio.Task[str]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            self.outcomes["cancelled"] += 1
        elif task.exception() is None:
            self.outcomes[task.result()] += 1
        else:  # a bug: the loop's handler says so, nobody waits for it
            self.outcomes["failed"] += 1
            task.get_loop().call_exception_handler(
                {"message": "a harvest failed", "exception": task.exception(), "task": task}
            )
