"""Waiting until a record is on disk: the ``strict`` half of the record log.

Many requests share one sync. Each has a future of its own, because a task that is cancelled cancels
what it waits for; all that one sync has made durable are woken by one call across the threads.

It fails closed, and in time: a wait ends at the moment its caller gives, whatever the disk does.
While the log is full, fails or has stalled for longer than a wait may take, ``check`` says so
before anything is asked of a provider.
"""

import asyncio
from collections import deque
from contextlib import suppress
from time import monotonic
from typing import Literal

from steadyhand.core.errors import RecordsUnavailable
from steadyhand.records.log import RecordLog

Trouble = Literal["full", "failing", "stalled"]

RETRY_AFTER_S = 1.0
_SAID: dict[Trouble, str] = {
    "full": "the record log is at its bound",
    "failing": "the record log cannot be written",
    "stalled": "the disk of the record log did not answer in time",
}


class Commits:
    """Lets the coroutines of one loop wait for a record log.

    Attributes:
        patience_s: Longest wait, where no deadline is nearer.
        refused: How often an answer was refused, by its reason.
    """

    def __init__(
        self, log: RecordLog, loop: asyncio.AbstractEventLoop, *, patience_s: float
    ) -> None:
        """Listen to ``log`` from now on; for the thread that runs ``loop``."""
        self.patience_s = patience_s
        self.refused: dict[Trouble, int] = dict.fromkeys(_SAID, 0)
        self._log = log
        self._loop = loop
        self._waiting: deque[tuple[int, asyncio.Future[Trouble | None]]] = deque()
        log.listen(self._told)

    def check(self) -> None:
        """Refuse at once what could only be refused later.

        Raises:
            RecordsUnavailable: A record appended now would not become durable in time.
        """
        log = self._log
        if log.is_failing:
            raise self.refusal("failing")
        if log.stalled_s() > self.patience_s:
            raise self.refusal("stalled")
        if log.is_full:
            raise self.refusal("full")

    def refusal(self, trouble: Trouble) -> RecordsUnavailable:
        """Count a refusal and return it."""
        self.refused[trouble] += 1
        return RecordsUnavailable(
            f"{_SAID[trouble]}, and this gateway answers nothing that it cannot record",
            hint="try again; if it lasts, the operator should look at the disk",
            retry_after_s=RETRY_AFTER_S,
        )

    async def durable(self, sequence: int, until_s: float) -> None:
        """Wait until the entry just appended as ``sequence`` is on disk; 0 never is.

        Call it in the same turn as ``append``: waits end in the order in which they began.
        ``until_s`` is in monotonic seconds; ``patience_s`` from now bounds the wait, too.

        Raises:
            RecordsUnavailable: It is not, and the wait is over. It may still become durable.
        """
        if not sequence:
            raise self.refusal("full")
        wait_s = min(until_s - monotonic(), self.patience_s)
        waiter: asyncio.Future[Trouble | None] = self._loop.create_future()
        self._waiting.append((sequence, waiter))
        if sequence <= self._log.flushed:  # looked at after it waits: the flusher may be between
            return
        timer = self._loop.call_later(max(0.0, wait_s), _settle, waiter, "stalled")
        self._log.hurry()
        try:
            trouble = await waiter
        finally:
            timer.cancel()
        if trouble is not None:
            raise self.refusal(trouble)

    def _told(self) -> None:
        """Pass on, from the flusher's thread, that something was synced or has failed."""
        if self._waiting:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._release)

    def _release(self) -> None:
        waiting, flushed = self._waiting, self._log.flushed
        while waiting and waiting[0][0] <= flushed:
            _settle(waiting.popleft()[1], None)
        if self._log.is_failing:
            while waiting:
                _settle(waiting.popleft()[1], "failing")


def _settle(waiter: "asyncio.Future[Trouble | None]", trouble: Trouble | None) -> None:
    if not waiter.done():
        waiter.set_result(trouble)
