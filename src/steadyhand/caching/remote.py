"""A tier outside of this process, asked so that no request waits longer than its cap.

Requests do not ask one by one. While one batch of addresses is under way, those that come gather
in the next; so a tier costs two connections and a few round trips a millisecond, however many
requests there are. A request that has waited its cap goes on without an answer, whether its batch
was late or had not left yet.

Failing open: a tier that fails three times in a row is left alone for a second, then twice as long
each time, up to ten; one batch then tries. While a connection is being made for longer than the
cap, newcomers do not wait at all. Reads and writes have a circuit each, as a full Redis still
reads. Entries to be stored wait in a bounded queue; what does not fit is dropped.

A busy event loop must not be taken for a slow tier, or the cache would go when it is needed most:
a timer that is due fires before the reply that lies in the socket is read. So a request whose cap
has passed looks at a few more turns of the loop before it goes on, and a reply is only held against
the tier if nobody waited for it any more.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import inf
from time import monotonic

from steadyhand.caching.circuit import SLOW_WEIGHT, SOUND, Circuit, after_failure
from steadyhand.caching.link import Item, Link, LinkFailed
from steadyhand.telemetry.status import TierStatus

MOST_BATCH = 128
MOST_WAITING = 4_096
"""Addresses that may be asked for at once; a request beyond them goes on without."""
MOST_QUEUED_BYTES = 16 << 20
LINGER_S = 0.01
"""How long entries to be stored gather."""
LAST_TURNS = 4
"""Turns of the loop from a reply in the socket to the request that waits for it, and one more."""
STUCK_S = 0.1
"""A batch that takes so long, or four caps, has failed; requests have gone on long before."""
OPEN_TIMEOUT_S = 1.0
"""A connection takes longer than a look; requests do not wait for it."""
PUT_TIMEOUT_S = 1.0
"""Nobody waits for a write, so it has longer than a look."""


class RemoteTier:
    """See the module. All calls from one event loop.

    Attributes:
        tier: ``warm`` or ``cold``.
        cap_s: How long a look may take, seconds.
        lookups: By how they ended: ``hit``, ``miss``, ``late``, ``skipped`` (left alone),
            ``crowded``, ``error``; the owner of the entries adds ``poisoned``, ``version``.
        stores: ``kept``, ``dropped`` (no room in the queue), ``error``.
        failures: Of the backend, by reason.
        on_late: Is given (address, sealed entry) that came when a request had gone on.
    """

    def __init__(self, link: Link, tier: str, cap_s: float) -> None:
        """Take the way to it, and how long a look may take in seconds."""
        self.tier = tier
        self.lookups: Counter[str] = Counter()
        self.stores: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.on_late: Callable[[bytes, bytes], None] = lambda _address, _sealed: None
        self._link = link
        self.cap_s = cap_s
        self._reads: Circuit = SOUND
        self._writes: Circuit = SOUND
        self._wanted: dict[bytes, list[asyncio.Future[bytes | None]]] = {}
        self._queue: deque[Item] = deque()
        self._queued_bytes = 0
        self._reader: asyncio.Task[None] | None = None
        self._writer: asyncio.Task[None] | None = None
        self._is_closed = False
        self._opening_s = inf  # when the connection that is being made was begun

    async def get(self, address: bytes, until_s: float) -> bytes | None:
        """Return the sealed entry at ``address``, or ``None`` if none came in time.

        Waits until ``until_s`` (monotonic) or the tier's own cap, whichever is first. Never raises.
        """
        now_s = monotonic()
        patience_s = min(until_s - now_s, self.cap_s)
        refused = self._refuses(now_s, patience_s)
        if refused:
            self.lookups[refused] += 1
            return None
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bytes | None] = loop.create_future()
        self._wanted.setdefault(address, []).append(future)
        if self._reader is None:
            self._reader = asyncio.create_task(self._read_all(), name=f"{self.tier} look")
        timer = loop.call_later(patience_s, self._give_up, loop, future, LAST_TURNS)
        try:
            return await future
        finally:
            timer.cancel()

    def put(self, item: Item) -> None:
        """Have ``item`` stored soon; returns at once."""
        size = len(item.sealed)
        if self._is_closed or self._queued_bytes + size > MOST_QUEUED_BYTES:
            self.stores["dropped"] += 1
            return
        self._queue.append(item)
        self._queued_bytes += size
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all(), name=f"{self.tier} store")

    def status(self) -> TierStatus:
        """Return how it is."""
        now_s = monotonic()
        return TierStatus(
            tier=self.tier,
            backend=self._link.backend,
            is_up=self._reads.may_try(now_s) and self._writes.may_try(now_s),
            lookups=dict(self.lookups),
            stores=dict(self.stores),
            failures=dict(self.failures),
        )

    async def close(self, patience_s: float = 0.5) -> None:
        """Store what is queued, as far as ``patience_s`` seconds allow, and let go."""
        self._is_closed = True
        if self._writer is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._writer, patience_s)
        for task in (self._reader, self._writer):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        await self._link.close()

    def _refuses(self, now_s: float, patience_s: float) -> str:
        if patience_s <= 0:
            return "late"
        is_opening = now_s > self._opening_s + self.cap_s
        if is_opening or self._is_closed or not self._reads.may_try(now_s):
            return "skipped"
        return "crowded" if len(self._wanted) >= MOST_WAITING else ""

    def _give_up(
        self, loop: asyncio.AbstractEventLoop, future: asyncio.Future[bytes | None], turns: int
    ) -> None:
        """Let the request that waits for ``future`` go on, after so many more turns."""
        if future.done():
            return
        if turns:
            loop.call_soon(self._give_up, loop, future, turns - 1)
            return
        self.lookups["late"] += 1
        future.set_result(None)

    async def _read_all(self) -> None:
        try:
            while self._wanted:
                if not self._reads.may_try(monotonic()):
                    self._settle(list(self._wanted), None, "skipped")
                    continue
                addresses = list(self._wanted)[:MOST_BATCH]
                found, reason = await self._read(addresses)
                is_awaited = self._settle(addresses, found, "error")
                self._judge(reason if found is None or is_awaited else "slow")
        finally:
            self._reader = None

    async def _read(self, addresses: Sequence[bytes]) -> tuple[Sequence[bytes | None] | None, str]:
        """Return what is stored, or ``None`` and the reason."""
        try:
            if not self._link.is_open:
                self._opening_s = monotonic()
                async with asyncio.timeout(OPEN_TIMEOUT_S):
                    await self._link.open()
                self._opening_s = inf
            async with asyncio.timeout(max(STUCK_S, 4 * self.cap_s)):
                return await self._link.get(addresses), ""
        except TimeoutError:
            return None, "timeout"
        except LinkFailed as failed:
            return None, failed.reason
        finally:
            self._opening_s = inf

    def _judge(self, reason: str) -> None:
        """Note how a batch ended: well, for no ``reason``."""
        if not reason:
            self._reads = SOUND
            return
        self.failures[reason] += 1
        weight = SLOW_WEIGHT if reason == "slow" else 1.0
        self._reads = after_failure(self._reads, monotonic(), weight)

    def _settle(
        self, addresses: Sequence[bytes], found: Sequence[bytes | None] | None, otherwise: str
    ) -> bool:
        """Answer who waits for ``addresses``; ``otherwise`` counts them if nothing is known.

        Returns:
            Whether anybody still waited.
        """
        is_awaited = False
        for place, address in enumerate(addresses):
            value = found[place] if found is not None else None
            waiting = self._wanted.pop(address)
            if value is not None and any(future.done() for future in waiting):
                self.on_late(address, value)
            for future in waiting:
                if future.done():  # its request has gone on, and was counted then
                    continue
                is_awaited = True
                future.set_result(value)
                known = "miss" if value is None else "hit"
                self.lookups[known if found is not None else otherwise] += 1
        return is_awaited

    async def _write_all(self) -> None:
        try:
            while self._queue:
                now_s = monotonic()
                if not self._writes.may_try(now_s):
                    await asyncio.sleep(self._writes.closed_at_s - now_s)
                elif not self._is_closed:
                    await asyncio.sleep(LINGER_S)
                await self._write(self._taken())
        finally:
            self._writer = None

    def _taken(self) -> list[Item]:
        items = [self._queue.popleft() for _ in range(min(len(self._queue), MOST_BATCH))]
        self._queued_bytes -= sum(len(item.sealed) for item in items)
        return items

    async def _write(self, items: Sequence[Item]) -> None:
        """Store one batch; one that fails is not tried again, as its like will come again."""
        try:
            async with asyncio.timeout(PUT_TIMEOUT_S):
                await self._link.put(items)
        except TimeoutError:
            reason = "timeout"
        except LinkFailed as failed:
            reason = failed.reason
        else:
            self._writes = SOUND
            self.stores["kept"] += len(items)
            return
        self.failures[reason] += 1
        self.stores["error"] += len(items)
        self._writes = after_failure(self._writes, monotonic())
