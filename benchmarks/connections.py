"""One connection of a load: sends a request, reads the answer, says when it is whole.

Who sends what, and what is counted, is up to the :class:`Owner`.
"""

import asyncio
import re
from collections.abc import Collection, Sequence
from time import monotonic_ns
from typing import Protocol, cast
from urllib.parse import urlsplit

from typing_extensions import override

from benchmarks.responses import ResponseReader

_STAMP = re.compile(rb"@(\d{20})@")
_STREAM_END = b"data: [DONE]\n\n"
OK: Collection[int] = (200,)


class Owner(Protocol):
    """Decides what a connection does next. Called with the monotonic time in nanoseconds."""

    def finished(self, connection: "Connection", now_ns: int, problem: str) -> None:
        """Take note of an answer; ``problem`` is empty if it was as it should be."""

    def streamed(self, connection: "Connection", now_ns: int, stamps: Sequence[bytes]) -> None:
        """Take note of events that came together, by the stamps of their sending."""

    def lost(self, connection: "Connection", now_ns: int) -> bool:
        """Take note that it is closed; return whether to open it again."""

    def ready(self, connection: "Connection", now_ns: int) -> None:
        """Use it: it is open again and idle."""


class Connection(asyncio.Protocol):
    """At most one request is under way.

    Attributes:
        due_ns: When that request was due.
        events: Events of its stream that have come.
        is_open: Whether a request can be sent.
        status: Of the last answer.
    """

    __slots__ = (
        "_expects_events",
        "_expects_status",
        "_is_busy",
        "_last",
        "_owner",
        "_reader",
        "_reopening",
        "_text",
        "_transport",
        "_url",
        "due_ns",
        "events",
        "is_open",
        "status",
    )

    _transport: asyncio.Transport

    def __init__(self, url: str, owner: Owner) -> None:
        self._url = urlsplit(url)
        self._owner = owner
        self._reader = ResponseReader()
        self._expects_events: int | None = None
        self._expects_status = OK
        self._is_busy = False
        self._last = b""
        self._text = b""
        self._reopening: asyncio.Task[None] | None = None
        self.due_ns = 0
        self.events = 0
        self.is_open = False
        self.status = 0

    async def open(self) -> None:
        """Connect."""
        host, port = self._url.hostname or "", self._url.port or 80
        await asyncio.get_running_loop().create_connection(lambda: self, host, port)

    def send(
        self,
        due_ns: int,
        request: bytes,
        events: int | None = None,
        status: Collection[int] = OK,
    ) -> None:
        """Send ``request``.

        Args:
            due_ns: When it should have been sent.
            request: Head and body.
            events: How many events the answer must have; ``None`` if it is no stream.
            status: What the answer's may be.
        """
        self.due_ns = due_ns
        self.events = 0
        self._is_busy = True
        self._last = b""
        self._expects_events = events
        self._expects_status = status
        self._text = b""
        self._transport.write(request)

    def leave(self) -> None:
        """Go away in the middle of an answer; nothing is counted, and the owner is asked again."""
        self._is_busy = False
        self.is_open = False
        self._reader.reset()
        self._transport.abort()

    def close(self) -> None:
        """Go away for good; the owner must no longer want it to be opened again."""
        if self._reopening is not None:
            self._reopening.cancel()
        self.leave()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)
        self.is_open = True

    @override
    def data_received(self, data: bytes) -> None:
        """Read on; tell the owner of events at once, and of the answer when it is whole."""
        now_ns = monotonic_ns()
        if not self._is_busy:
            return
        try:
            body = self._reader.feed(data)
        except ValueError as error:
            self.is_open = False
            self._transport.abort()
            self._finish(now_ns, str(error))
            return
        if self._expects_events is None or self._reader.status != 200:
            self._text += body
        elif body:
            self._read_events(now_ns, self._text + body)
        if self._reader.is_done and self._is_busy:
            if self._reader.closes:
                self.is_open = False
                self._transport.close()
            self._finish(now_ns, self._problem())

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Count what was under way as failed; come back if the owner wants it."""
        now_ns = monotonic_ns()
        self.is_open = False
        if self._is_busy:
            self._finish(now_ns, f"connection lost: {exc or 'closed by the server'}")
        if self._owner.lost(self, now_ns):
            self._reopening = asyncio.ensure_future(self._reopen())

    async def _reopen(self) -> None:
        while not self.is_open:
            await asyncio.sleep(0.01)
            try:
                await self.open()
            except OSError:
                if not self._owner.lost(self, monotonic_ns()):
                    return
        self._owner.ready(self, monotonic_ns())

    def _read_events(self, now_ns: int, text: bytes) -> None:
        end = text.rfind(b"\n\n") + 2
        if end < 2:
            self._text = text
            return
        stamps = _STAMP.findall(text, 0, end)
        if stamps:
            self._owner.streamed(self, now_ns, stamps)
            self.events += len(stamps)
        self._last = text[-200:]
        self._text = text[end:]

    def _problem(self) -> str:
        """Return what is wrong with a whole answer, or nothing."""
        if self._reader.status not in self._expects_status:
            return f"status {self._reader.status}: {self._text[:200].decode(errors='replace')}"
        if self._reader.status != 200:
            return ""
        if self._expects_events is None:
            return "" if b'"choices"' in self._text else "no choices in the answer"
        if self.events != self._expects_events:
            last = self._last.decode(errors="replace")
            return f"{self.events} events instead of {self._expects_events}, the last: {last}"
        return "" if self._last.endswith(_STREAM_END) else "the stream does not end in [DONE]"

    def _finish(self, now_ns: int, problem: str) -> None:
        self._is_busy = False
        self.status = self._reader.status
        self._reader.reset()
        self._owner.finished(self, now_ns, problem)


async def close_all(connections: Collection[Connection]) -> None:
    """Close ``connections``, whose owner wants none of them again, and wait until they are."""
    for connection in connections:
        connection.close()
    await asyncio.sleep(0.01)
