"""Requests of every kind, mixed as traffic is: sizes, streams, errors, clients that leave."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from time import monotonic_ns
from urllib.parse import urlsplit

from benchmarks.connections import OK, Connection, close_all
from benchmarks.prompts import (
    MODEL,
    chat_body,
    marker,
    numbers,
    request_head,
    split_at_number,
)
from benchmarks.targets import HEADERS
from benchmarks.workspace import FAULTY, FLOORED

CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of request.

    Attributes:
        name: For the report.
        weight: How often, beside the others.
        body: With a place for the number.
        headers: Of the caller.
        events: That its stream has, or ``None``.
        status: That its answer may have.
        leaves: Whether the client goes away after the first event.
    """

    name: str
    weight: int
    body: bytes
    headers: tuple[str, ...] = HEADERS
    events: int | None = None
    status: Collection[int] = OK
    leaves: bool = False

    def request(self, url: str) -> tuple[bytes, bytes]:
        """Return the request before and after its number."""
        parts = urlsplit(url)
        head = request_head(parts.path, parts.netloc, self.headers, len(self.body))
        return split_at_number(head + self.body)


def _stream(events: int, gap_us: int = 0) -> bytes:
    return chat_body(marker(events=events, gap_us=gap_us), stream=True)


def _renamed(body: bytes, model: str) -> bytes:
    return body.replace(json.dumps(MODEL).encode(), json.dumps(model).encode(), 1)


def kinds() -> tuple[Kind, ...]:
    """Return the mix, which is mostly ordinary, as traffic is."""
    refused = range(400, 600)
    wrong_key = ("Authorization: Bearer sk-sh-nobody-has-this-one-00000000000000000000",)
    return (
        Kind("plain", 50, chat_body()),
        Kind("prompt of 16 KB", 10, chat_body(padding=16_000)),
        Kind("prompt of 400 KB", 1, chat_body(padding=400_000)),
        Kind("answer of 64 KB", 5, chat_body(marker(chars=64_000))),
        Kind("answer of 1 MB", 1, chat_body(marker(chars=1_000_000))),
        Kind("stream of 20", 10, _stream(20), events=20),
        Kind("stream of 300", 2, _stream(300), events=300),
        Kind("paced stream", 2, _stream(5, 2_000), events=5),
        Kind("client leaves", 3, _stream(50, 1_000), events=50, leaves=True),
        Kind("not JSON", 3, chat_body()[:-1], status=(400,)),
        Kind("no such model", 3, _renamed(chat_body(), "absent"), status=(403, 404)),
        Kind("wrong key", 3, chat_body(), headers=wrong_key, status=(401,)),
        Kind(
            *("provider says 429", 3, _renamed(chat_body(marker(status=429)), FAULTY)),
            status=refused,
        ),
        Kind(
            *("provider says 500", 4, _renamed(chat_body(marker(status=500)), FAULTY)),
            status=refused,
        ),
        Kind("floor", 5, _renamed(chat_body(marker(status=500)), FLOORED)),
    )


class Mix:
    """Sends the mix over some connections until enough has been answered."""

    def __init__(self, url: str, requests: int, seed: int, only: str = "") -> None:
        self._url = url
        self.wanted = requests
        self._is_stopped = False
        self._random = random.Random(seed)
        self._kinds = [kind for kind in kinds() if only in kind.name]
        self._weights = [kind.weight for kind in self._kinds]
        self._requests = {kind.name: kind.request(url) for kind in self._kinds}
        self._numbers = numbers()
        self._under_way: dict[Connection, Kind] = {}
        self._over = asyncio.Event()
        self.answered = 0
        self.counts: Counter[str] = Counter()
        self.problems: Counter[str] = Counter()

    @property
    def is_over(self) -> bool:
        """Whether no more requests are to be sent."""
        return self._is_stopped or self.answered >= self.wanted

    async def run(self, limit_s: float) -> None:
        """Send until done.

        Raises:
            TimeoutError: ``limit_s`` was not enough.
        """
        connections = [Connection(self._url, self) for _ in range(CONNECTIONS)]
        await asyncio.gather(*(connection.open() for connection in connections))
        for connection in connections:
            self.ready(connection, monotonic_ns())
        try:
            await asyncio.wait_for(self._over.wait(), limit_s)
        finally:
            self._is_stopped = True
            await close_all(connections)

    def ready(self, connection: Connection, now_ns: int) -> None:
        """Send the next request."""
        if self.is_over or not connection.is_open:
            return
        kind = self._random.choices(self._kinds, self._weights)[0]
        before, after = self._requests[kind.name]
        self._under_way[connection] = kind
        request = b"%b%012d%b" % (before, next(self._numbers), after)
        connection.send(now_ns, request, kind.events, kind.status)

    def finished(self, connection: Connection, now_ns: int, problem: str) -> None:
        """Count an answer and send the next request."""
        kind = self._under_way[connection]
        if problem:
            self.problems[f"{kind.name}: {problem}"] += 1
        self._count(kind)
        self.ready(connection, now_ns)

    def streamed(self, connection: Connection, now_ns: int, stamps: Sequence[bytes]) -> None:
        """Go away, if this client is one who does."""
        kind = self._under_way[connection]
        if kind.leaves:
            self._count(kind)
            connection.leave()

    def lost(self, connection: Connection, now_ns: int) -> bool:
        """Come back as long as there is something to send."""
        return not self.is_over

    def _count(self, kind: Kind) -> None:
        self.answered += 1
        self.counts[kind.name] += 1
        if self.is_over:
            self._over.set()
