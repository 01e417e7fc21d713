"""A small HTTP proxy: CONNECT tunnels and absolute-form requests, with Basic authentication."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class SmallProxy:
    """What a proxy has seen, and how it shall behave.

    Attributes:
        url: Where it listens.
        credentials: ``user:password`` that it asks for; empty for none.
        refuses: Status with which it refuses to connect; 0 for none.
        is_silent: It takes requests and answers none.
        targets: First lines of the requests it was sent.
        tunnels: Connections it relays now.
    """

    def __init__(self, credentials: str = "") -> None:
        self.url = ""
        self.credentials = credentials
        self.refuses = 0
        self.is_silent = False
        self.targets: list[bytes] = []
        self.tunnels: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """Break every connection that is relayed."""
        for task in self.tunnels:
            task.cancel()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay one connection to its end."""
        task = asyncio.current_task()
        assert task is not None
        self.tunnels.add(task)
        try:
            await self._relay(reader, writer)
        except (asyncio.CancelledError, asyncio.IncompleteReadError, ConnectionError):
            writer.transport.abort()
        finally:
            self.tunnels.discard(task)
            writer.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        line, _, fields = head.partition(b"\r\n")
        self.targets.append(line)
        if self.is_silent:
            await reader.read()
            return
        status = self.refuses or (0 if self._knows(fields) else 407)
        if status:
            writer.write(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status)
            await reader.read()
            return
        method, target, _ = line.split(b" ")
        if method == b"CONNECT":
            host, port, first = target.rpartition(b":")[0], target.rpartition(b":")[2], b""
        else:
            found = re.match(rb"http://([^:/]+):(\d+)(/.*)", target)
            assert found is not None
            host, port, path = found.groups()
            kept = re.sub(rb"(?im)^proxy-[^\r\n]*\r\n", b"", fields)
            first = b"%b %b HTTP/1.1\r\n%b" % (method, path, kept)
        far_reader, far_writer = await asyncio.open_connection(host.decode(), int(port))
        try:
            if first:
                far_writer.write(first)
            else:
                writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            async with asyncio.TaskGroup() as both:
                both.create_task(_pipe(reader, far_writer))
                both.create_task(_pipe(far_reader, writer))
        finally:
            far_writer.transport.abort()

    def _knows(self, fields: bytes) -> bool:
        if not self.credentials:
            return True
        wanted = b"Basic " + base64.b64encode(self.credentials.encode())
        return b"\r\nproxy-authorization: " + wanted.lower() in b"\r\n" + fields.lower()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with suppress(OSError, RuntimeError):
        writer.close()


@asynccontextmanager
async def small_proxy(credentials: str = "") -> AsyncIterator[SmallProxy]:
    """Run a proxy on a free port."""
    proxy = SmallProxy(credentials)
    listener = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        listener.close()
        running = tuple(proxy.tunnels)
        proxy.cut()
        await asyncio.gather(*running, return_exceptions=True)
