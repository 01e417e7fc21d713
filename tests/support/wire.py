"""Both ends of an HTTP connection by hand: a client of raw bytes, an upstream that is scripted."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import inf

from steadyhand.http.limits import PoolLimits, ServerLimits
from steadyhand.http.messages import Handler, Headers, Limits
from steadyhand.http.origin import Origin
from steadyhand.http.pool import Pool
from steadyhand.http.server import Server

PATIENCE_S = 5.0


def render_error(status: int, code: str, message: str) -> tuple[Headers, bytes]:
    """Make an error body that tests can recognise."""
    return ((b"content-type", b"text/plain"),), f"{status} {code} {message}".encode()


@dataclass(frozen=True)
class Response:
    """A response as it was on the wire."""

    status: int
    headers: dict[str, str]
    body: bytes
    chunks: tuple[bytes, ...] = ()


class RawClient:
    """Writes bytes, reads responses; knows nothing of keep-alive or retries."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def head(self) -> tuple[int, dict[str, str]]:
        """Read a head, interim ones included."""
        async with asyncio.timeout(PATIENCE_S):
            raw = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = raw[:-4].decode("latin-1").split("\r\n")
        assert first.startswith("HTTP/1.1 ")
        headers = dict(line.split(": ", 1) for line in lines)
        assert len(headers) == len(lines), "a field is repeated"
        return int(first.split()[1]), headers

    async def response(self, *, bare: bool = False) -> Response:
        """Read one whole response; ``bare`` for those to HEAD."""
        status, headers = await self.head()
        async with asyncio.timeout(PATIENCE_S):
            if bare or status in (100, 204, 304):
                return Response(status, headers, b"")
            if headers.get("transfer-encoding") == "chunked":
                chunks = tuple([chunk async for chunk in self.chunks()])
                return Response(status, headers, b"".join(chunks), chunks)
            if "content-length" in headers:
                body = await self.reader.readexactly(int(headers["content-length"]))
                return Response(status, headers, body)
            return Response(status, headers, await self.reader.read())

    async def chunks(self) -> AsyncIterator[bytes]:
        """Read chunks to the last."""
        while True:
            size = int(await self.reader.readuntil(b"\r\n"), 16)
            chunk = await self.reader.readexactly(size + 2)
            assert chunk.endswith(b"\r\n")
            if not size:
                return
            yield chunk[:-2]

    async def at_end(self) -> bool:
        """Wait for the end of the stream; whether it came without further bytes."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self.reader.read() == b""
            except ConnectionResetError:
                return True

    async def close(self) -> None:
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except (ConnectionError, ssl.SSLError):
            return


@asynccontextmanager
async def serving(
    handler: Handler, limits: ServerLimits | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Server]:
    """Run a server on a free port."""
    server = await Server.start(
        handler, "127.0.0.1", 0, limits or ServerLimits(), render_error, tls=tls
    )
    try:
        yield server
    finally:
        await server.close(drain_s=0.2)


@asynccontextmanager
async def client_of(server: Server) -> AsyncIterator[RawClient]:
    """Connect to a server."""
    client = RawClient(*await asyncio.open_connection("127.0.0.1", server.port))
    try:
        yield client
    finally:
        await client.close()


class Upstream:
    """A scripted upstream: each connection runs the script, which sees the raw streams.

    Attributes:
        accepted: Connections so far.
        gone: Set when a script that waits in :meth:`until_gone` saw its client leave.
    """

    def __init__(self) -> None:
        self.accepted = 0
        self.gone = asyncio.Event()
        self.port = 0
        self.heads: list[bytes] = []

    async def request(self, reader: asyncio.StreamReader) -> bytes:
        """Read one request and return its body."""
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        return await reader.readexactly(int(length or 0))

    async def until_gone(self, reader: asyncio.StreamReader) -> None:
        """Wait for the other side to close or reset."""
        try:
            while await reader.read(65536):
                pass
        except ConnectionError:
            pass
        self.gone.set()


Script = Callable[[Upstream, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def upstream(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[Upstream]:
    """Run a scripted upstream; a connection closes when its script ends."""
    peer = Upstream()
    running: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            await script(peer, reader, writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            return  # the client left, or the test is over
        finally:
            running.discard(task)
            writer.close()

    listener = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    peer.port = listener.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        listener.close()
        for task in tuple(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@asynccontextmanager
async def pool_to(
    peer: Upstream, limits: PoolLimits | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Pool]:
    """Open a pool to a scripted upstream."""
    scheme = "https" if tls else "http"
    name = "localhost" if tls else "127.0.0.1"
    pool = Pool(Origin.parse(f"{scheme}://{name}:{peer.port}"), limits or PoolLimits(), tls)
    try:
        yield pool
    finally:
        await pool.close()


def within(
    connect_s: float = 5.0,
    first_byte_s: float = 5.0,
    idle_s: float = 5.0,
    total_s: float = 20.0,
    give_up_at_s: float = inf,
) -> Limits:
    """Return limits that do not matter unless stated."""
    return Limits(connect_s, first_byte_s, idle_s, total_s, give_up_at_s)


async def eventually(holds: Callable[[], bool]) -> None:
    """Wait until a condition holds; fail if it never does."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110  what is waited for is a plain number
            await asyncio.sleep(0.005)
