"""What happens, as it happens: server-sent events for whoever may look.

Each event has a number that only grows, also over restarts, so a client that comes back says the
last that it saw (``Last-Event-ID``) and gets what it missed, as far as it is kept. One that reads
too slowly is told so and cut off, rather than filling memory.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from threading import Lock
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from steadyhand.tenancy.principals import Principal

KEPT: Final = 1_000
MOST_WAITING: Final = 256
HEARTBEAT_S: Final = 10.0
QUIET: Final = frozenset({"lease"})
"""Kinds that are sent only to those who ask for them: they come each few seconds."""


class Event(NamedTuple):
    """Something that happened.

    Attributes:
        number: Grows from one to the next.
        kind: ``registry`` (a commit), ``snapshot`` (one is in force), ``sync`` (a look at the
            remote that ended otherwise than the one before), ``rollout`` (something became of
            one), ``page`` (a person is called), ``lease``, ``lost``.
        data: About it.
    """

    number: int
    kind: str
    data: Mapping[str, Any]

    def encoded(self) -> bytes:
        """Return it as it is sent."""
        data = json.dumps(self.data, ensure_ascii=False, separators=(",", ":"))
        return f"id: {self.number}\nevent: {self.kind}\ndata: {data}\n\n".encode()


class _Reader:
    """One who listens, in an event loop."""

    def __init__(self, kinds: frozenset[str]) -> None:
        self.loop = asyncio.get_running_loop()
        self.queue: asyncio.Queue[Event | None] = asyncio.Queue(MOST_WAITING)
        self.kinds = kinds
        self.is_lost = False

    def wants(self, event: Event) -> bool:
        return event.kind in self.kinds if self.kinds else event.kind not in QUIET

    def give(self, event: Event | None) -> None:
        try:
            self.queue.put_nowait(event)
        except asyncio.QueueFull:
            self.is_lost = True


class Hub:
    """Takes events from any thread and gives them to those who listen."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Take the wall clock, in seconds: numbers begin with it, so that they grow over starts."""
        self._lock = Lock()
        self._number = int(clock() * 1000)
        self._kept: deque[Event] = deque(maxlen=KEPT)
        self._readers: set[_Reader] = set()
        self._is_closed = False

    def tell(self, kind: str, data: Mapping[str, Any]) -> None:
        """Tell what happened."""
        with self._lock:
            self._number += 1
            event = Event(self._number, kind, data)
            if kind not in QUIET:
                self._kept.append(event)
            for reader in self._readers:
                if reader.wants(event):
                    reader.loop.call_soon_threadsafe(reader.give, event)

    def close(self) -> None:
        """End every stream: the process stops."""
        with self._lock:
            self._is_closed = True
            for reader in self._readers:
                reader.loop.call_soon_threadsafe(reader.give, None)

    async def listen(self, kinds: frozenset[str], after: int | None) -> AsyncGenerator[bytes]:
        """Yield events as they are sent, from the one after ``after`` on; ``None`` from now on."""
        reader = _Reader(kinds)
        with self._lock:
            missed = self._missed(reader, after)
            self._readers.add(reader)
        try:
            yield b": steadyhand\n\n"
            for event in missed:
                yield event.encoded()
            while not (self._is_closed or reader.is_lost):
                try:
                    found = await asyncio.wait_for(reader.queue.get(), HEARTBEAT_S)
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                if found is None:
                    return
                yield found.encoded()
            if reader.is_lost:
                yield Event(self._number, "lost", {"reason": "read too slowly"}).encoded()
        finally:
            with self._lock:
                self._readers.discard(reader)

    def _missed(self, reader: _Reader, after: int | None) -> list[Event]:
        if after is None:
            return []
        known = [event for event in self._kept if event.number > after and reader.wants(event)]
        first = self._kept[0].number if self._kept else self._number + 1
        if after + 1 < first and after < self._number:
            return [Event(after, "lost", {"reason": "older events are not kept"}), *known]
        return known


async def while_open(
    stream: AsyncGenerator[bytes], is_open: Callable[[], bool]
) -> AsyncIterator[bytes]:
    """Yield what ``stream`` yields for as long as ``is_open`` says so; it is asked before each."""
    async with aclosing(stream):
        async for part in stream:
            if not is_open():
                return
            yield part


def router(hub: Hub, login: Any, is_open_to: Callable[[Request, Principal], bool]) -> APIRouter:
    """Make the router of the events.

    ``login`` is the dependency that tells who is asking, ``is_open_to`` tells whether they still
    may: a stream ends with the session or the token that it was opened with.
    """
    events = APIRouter(tags=["events"])

    @events.get(
        "/events",
        summary="Follow what happens",
        operation_id="events",
        response_class=StreamingResponse,
        responses={
            200: {"content": {"text/event-stream": {}}, "description": "server-sent events"}
        },
    )
    async def follow(
        request: Request,
        principal: Annotated[Principal, login],
        kind: Annotated[
            list[str] | None, Query(description="only these kinds; else all but `lease`")
        ] = None,
        last_event_id: Annotated[
            int | None, Header(description="the last that was seen: what came after is sent first")
        ] = None,
    ) -> StreamingResponse:
        stream = while_open(
            hub.listen(frozenset(kind or ()), last_event_id),
            lambda: is_open_to(request, principal),
        )
        return StreamingResponse(stream, media_type="text/event-stream")

    return events
