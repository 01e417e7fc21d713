"""An upstream that answers one request with given bytes, and keeps what it was asked."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager


class ScriptedUpstream:
    """What the server says and what it heard.

    Attributes:
        url: Where it listens.
        heads: Request heads, one for each request, without the blank line.
        bodies: Their bodies.
    """

    def __init__(self, pieces: Sequence[bytes]) -> None:
        """Answer every request with ``pieces``, one write each."""
        self.url = ""
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self._pieces = pieces

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer on one connection until the client leaves."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n"))[:-4]
                length = re.search(rb"(?im)^content-length: (\d+)", head)
                body = await reader.readexactly(int(length.group(1))) if length else b""
                self.heads.append(head)
                self.bodies.append(body)
                for piece in self._pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    def fields(self) -> dict[bytes, bytes]:
        """Return the header fields of the last request; none may come twice."""
        pairs = [line.split(b": ", 1) for line in self.heads[-1].split(b"\r\n")[1:]]
        names = [name.lower() for name, _ in pairs]
        assert len(names) == len(set(names)), "a header was sent twice"
        return {name.lower(): value for name, value in pairs}


@asynccontextmanager
async def scripted_upstream(pieces: Sequence[bytes]) -> AsyncIterator[ScriptedUpstream]:
    """Serve on a free loopback port."""
    upstream = ScriptedUpstream(pieces)
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0)
    upstream.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield upstream
    finally:
        server.close()
        await server.wait_closed()
