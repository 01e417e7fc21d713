"""One connection of a simulator's server: parses requests, acts scripts out on the socket.

Written against the transport because a broken server must do what HTTP libraries prevent: declare
wrong lengths, reset, send no HTTP at all. Requests are read leniently; the gateway is the one
under test, not this.
"""

import asyncio
import http
import socket
import struct
from collections import deque
from dataclasses import dataclass
from typing import cast

import httptools
from typing_extensions import override

from steadyhand.simulation.complaint import Complaint
from steadyhand.simulation.endpoints import Endpoints
from steadyhand.simulation.seen import Log
from steadyhand.simulation.simulator import Play, Simulator
from steadyhand.simulation.steps import (
    Bytes,
    CleanEnd,
    Cut,
    Head,
    Raw,
    Refuse,
    Reset,
    Step,
    Wait,
)

_LONGEST_BODY = 64 * 1024 * 1024
_FLUSH_S = 0.02
_AT_ONCE = struct.pack("ii", 1, 0)  # struct linger: on, zero seconds


@dataclass(slots=True)
class Arrived:
    """One whole request."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    keep_alive: bool
    may_chunk: bool


class Connection(asyncio.Protocol):
    """Serves one client; pipelined requests wait their turn."""

    def __init__(
        self, simulator: Simulator, endpoints: Endpoints, log: Log, open_: "set[Connection]"
    ) -> None:
        """Share everything with the server's other connections."""
        self._simulator = simulator
        self._endpoints = endpoints
        self._log = log
        self._open = open_
        self._waiting: deque[Arrived] = deque()
        self._task: asyncio.Task[None] | None = None
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._chunked = False
        self._outcome = "client left"

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See :class:`asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)
        self._log.connections += 1
        self._open.add(self)
        self._begin_message()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever hangs up, the script ends; if the client did, it is counted."""
        self._open.discard(self)
        if self._task is not None:
            self._task.cancel()

    @override
    def eof_received(self) -> bool:
        """Take a half-closed connection for a closed one."""
        return False

    @override
    def pause_writing(self) -> None:
        """Hold the script while the client is slow."""
        self._may_write.clear()

    @override
    def resume_writing(self) -> None:
        """Go on."""
        self._may_write.set()

    @override
    def data_received(self, data: bytes) -> None:
        """Parse what has come."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return
        except httptools.HttpParserError:
            self._transport.write(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n")
            self._transport.close()

    def stop(self) -> None:
        """Hang up because the server ends."""
        self._outcome = "stopped"
        self._transport.abort()

    def on_url(self, url: bytes) -> None:
        """Parser: a piece of the target."""
        self._path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Parser: one header."""
        self._headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """Parser: let a careful client go on."""
        if ("expect", "100-continue") in self._headers:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, piece: bytes) -> None:
        """Parser: a piece of the body."""
        self._body += piece
        if len(self._body) > _LONGEST_BODY:
            self._transport.abort()

    def on_message_complete(self) -> None:
        """Parser: a whole request; play it, now or when those before it are done."""
        parser = self._parser
        arrived = Arrived(
            parser.get_method().decode(),
            self._path.decode("latin-1"),
            self._headers,
            bytes(self._body),
            parser.should_keep_alive(),
            parser.get_http_version() == "1.1",
        )
        self._begin_message()
        self._waiting.append(arrived)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._serve())

    def _begin_message(self) -> None:
        if not hasattr(self, "_parser"):
            self._parser = httptools.HttpRequestParser(self)
        self._path = b""
        self._headers: list[tuple[str, str]] = []
        self._body = bytearray()

    async def _serve(self) -> None:
        while self._waiting:
            arrived = self._waiting.popleft()
            is_chat = arrived.path.partition("?")[0] == "/v1/chat/completions"
            if is_chat and arrived.method == "POST":
                await self._play(arrived)
            else:
                self._send(
                    self._endpoints.answer(arrived.method, arrived.path, arrived.body), arrived
                )
            if not arrived.keep_alive:
                self._transport.close()
        self._task = None

    def _send(self, answer: Complaint, arrived: Arrived) -> None:
        self._head(Head(answer.status, answer.headers, len(answer.body)), arrived)
        self._transport.write(answer.body)

    async def _play(self, arrived: Arrived) -> None:
        play = self._simulator.play(arrived.body)
        seen = self._log.begin(
            arrived.path,
            arrived.headers,
            arrived.body,
            behaviour=play.behaviour,
            model=play.model,
            stream=play.stream,
        )
        try:
            await self._act(play, arrived)
        except asyncio.CancelledError:
            self._log.end(seen, self._outcome)
            raise
        self._log.end(seen, "played")

    async def _act(self, play: Play, arrived: Arrived) -> None:
        for step in play.steps:
            match step:
                case Head():
                    self._head(step, arrived)
                case Bytes(data):
                    await self._write(data)
                case Wait(seconds):
                    await asyncio.sleep(seconds)
                case CleanEnd():
                    if self._chunked:
                        self._transport.write(b"0\r\n\r\n")
                case _:
                    await self._break(step)

    async def _break(self, step: Step) -> None:
        """Do what no library would."""
        match step:
            case Raw(data):
                self._transport.write(data)
                self._transport.close()
            case Cut():
                self._transport.close()
            case Reset() | Refuse():
                await asyncio.sleep(_FLUSH_S)  # so that what came before is read before the reset
                sock: socket.socket = self._transport.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
                self._transport.abort()
            case _:
                await asyncio.Event().wait()

    def _head(self, head: Head, arrived: Arrived) -> None:
        phrase = http.HTTPStatus(head.status).phrase if head.status != 529 else "Overloaded"
        lines = [b"HTTP/1.1 %d %s" % (head.status, phrase.encode())]
        lines += [name + b": " + value for name, value in head.headers]
        self._chunked = head.length is None and arrived.may_chunk
        if self._chunked:
            lines.append(b"transfer-encoding: chunked")
        elif head.length is not None:
            lines.append(b"content-length: %d" % head.length)
        if not arrived.keep_alive:
            lines.append(b"connection: close")
        self._transport.write(b"\r\n".join(lines) + b"\r\n\r\n")

    async def _write(self, data: bytes) -> None:
        if self._chunked and data:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        self._transport.write(data)
        await self._may_write.wait()
