"""Send requests over HTTP/1.1 as the SDKs do, and keep everything that comes back with its time.

Connections are kept and used again, the most recent first, and dropped after :data:`IDLE_S`; no
request waits for one, and none is sent twice: an SDK's own retries would hide what is measured.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from time import monotonic_ns
from typing import cast
from urllib.parse import urlsplit

import httptools
from typing_extensions import override

from benchmarks.failover.scoring import Response

PATIENCE_S = 30.0
"""After it a request is counted as hanging, and the client leaves."""
IDLE_S = 2.0
"""Longest rest of a connection; servers hang up after 5 s, and would then race with a request."""
_LONGEST_BODY = 80_000_000


class Line(asyncio.Protocol):
    """One connection; at most one request is under way."""

    def __init__(self, marked_by: str) -> None:
        """Note the value of the response header ``marked_by``."""
        self._marked_by = marked_by.lower().encode()
        self._ended: asyncio.Future[None] | None = None
        self.is_open = False
        self.idle_since_ns = 0
        self._begin()

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._pieces: list[bytes] = []
        self._arrivals: list[tuple[int, int]] = []
        self._size = 0
        self._status = 0
        self._is_whole = False
        self._spoke = ""
        self._now_ns = 0
        self._ended_ns = 0

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See :class:`asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = True

    @override
    def data_received(self, data: bytes) -> None:
        """Take what has come, with its time."""
        self._now_ns = monotonic_ns()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.abort()
            self._end()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """End what is under way; a body without a length ends whole if the other side closed."""
        self.is_open = False
        self._now_ns = monotonic_ns()
        self._end()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Parser: one header."""
        if self._marked_by and name.lower() == self._marked_by:
            self._spoke = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Parser: the head is whole."""
        self._status = self._parser.get_status_code()

    def on_body(self, piece: bytes) -> None:
        """Parser: a piece of the body."""
        self._size += len(piece)
        self._pieces.append(piece)
        self._arrivals.append((self._now_ns, self._size))
        if self._size > _LONGEST_BODY:
            self._transport.abort()

    def on_message_complete(self) -> None:
        """Parser: the end, as HTTP says it."""
        if self._status >= 200:
            self._is_whole = True
            self._end()

    def _end(self) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended_ns = self._now_ns
            self._ended.set_result(None)

    async def ask(self, request: bytes) -> tuple[int, Response]:
        """Send a request; return when it was sent, in monotonic nanoseconds, and what came."""
        self._begin()
        self._ended = asyncio.get_running_loop().create_future()
        sent_ns = monotonic_ns()
        self._transport.write(request)
        gave_up = False
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._ended
        except TimeoutError:
            gave_up = True
            self._ended_ns = monotonic_ns()
        response = Response(
            status=self._status,
            body=b"".join(self._pieces),
            arrivals=[((at - sent_ns) // 1000, size) for at, size in self._arrivals],
            is_whole=self._is_whole,
            ended_us=(self._ended_ns - sent_ns) // 1000,
            gave_up=gave_up,
            spoke=self._spoke,
        )
        self.idle_since_ns = monotonic_ns()
        if gave_up or not self._is_whole or not self._parser.should_keep_alive():
            self.close()
        return sent_ns, response

    def close(self) -> None:
        """Hang up."""
        self.is_open = False
        self._transport.abort()


class Client:
    """Sends to one address."""

    def __init__(self, url: str, headers: Mapping[str, str], marked_by: str = "") -> None:
        """Send to ``url`` with ``headers``; ``marked_by`` names the header that says who spoke."""
        self._parts = urlsplit(url)
        lines = [
            f"POST {self._parts.path} HTTP/1.1",
            f"host: {self._parts.netloc}",
            "content-type: application/json",
            "accept: application/json",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        self._head = "\r\n".join(lines).encode()
        self._marked_by = marked_by
        self._idle: list[Line] = []

    async def ask(self, body: bytes, more: Mapping[str, str]) -> tuple[int, Response]:
        """Send a request with further headers; return when it was sent, and what came."""
        extra = "".join(f"{name}: {value}\r\n" for name, value in more.items())
        request = b"%b\r\n%bcontent-length: %d\r\n\r\n%b" % (
            self._head,
            extra.encode(),
            len(body),
            body,
        )
        begun_ns = monotonic_ns()
        try:
            line = self._idle_line() or await self._new_line()
        except OSError:
            ended_us = (monotonic_ns() - begun_ns) // 1000
            return begun_ns, Response(0, b"", (), is_whole=False, ended_us=ended_us)
        sent_ns, response = await line.ask(request)
        if line.is_open:
            self._idle.append(line)
        return sent_ns, response

    def _idle_line(self) -> Line | None:
        oldest_ns = monotonic_ns() - int(IDLE_S * 1e9)
        while self._idle:
            line = self._idle.pop()
            if line.is_open and line.idle_since_ns >= oldest_ns:
                return line
            line.close()
        return None

    async def _new_line(self) -> Line:
        loop = asyncio.get_running_loop()
        _, line = await loop.create_connection(
            lambda: Line(self._marked_by), self._parts.hostname or "", self._parts.port or 80
        )
        return line

    def close(self) -> None:
        """Hang up on all idle connections."""
        for line in self._idle:
            with contextlib.suppress(RuntimeError):
                line.close()
        self._idle.clear()
