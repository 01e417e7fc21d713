"""The database as a tier, by way of the control process, which is the only one that speaks SQL."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from steadyhand.caching import wire
from steadyhand.caching.link import Item, LinkFailed
from steadyhand.http.socket_path import short_path

Answer = TypeVar("Answer", wire.Found, wire.Taken)


class DatabaseLink:
    """See :class:`steadyhand.caching.link.Link`. One connection that reads, one that writes."""

    backend = "database"

    def __init__(self, path: Path) -> None:
        """Take the socket at which the control process listens; it need not be there yet."""
        self._reads = _Connection(path)
        self._writes = _Connection(path)

    @property
    def is_open(self) -> bool:
        """See :class:`steadyhand.caching.link.Link`."""
        return self._reads.is_open

    async def open(self) -> None:
        """See :class:`steadyhand.caching.link.Link`."""
        await self._reads.open()

    async def get(self, addresses: Sequence[bytes]) -> Sequence[bytes | None]:
        """See :class:`steadyhand.caching.link.Link`."""
        found = await self._reads.ask(wire.Get([*addresses]), wire.Found)
        if len(found.sealed) != len(addresses):
            self._reads.close()
            raise LinkFailed("protocol")
        return found.sealed

    async def put(self, items: Sequence[Item]) -> None:
        """See :class:`steadyhand.caching.link.Link`."""
        if not self._writes.is_open:
            await self._writes.open()
        taken = await self._writes.ask(wire.Put([*items]), wire.Taken)
        if taken.count < len(items):
            raise LinkFailed("full")

    async def close(self) -> None:
        """See :class:`steadyhand.caching.link.Link`."""
        self._reads.close()
        self._writes.close()


class _Connection:
    """Asks one thing at a time; closed by whatever goes wrong, so that no reply comes too late."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    @property
    def is_open(self) -> bool:
        return self._streams is not None

    async def open(self) -> None:
        if self._streams is not None:
            return
        try:
            with short_path(self._path) as name:
                self._streams = await asyncio.open_unix_connection(name)
        except OSError as error:
            raise LinkFailed("refused") from error

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def ask(self, question: wire.Question, kind: type[Answer]) -> Answer:
        if self._streams is None:
            raise LinkFailed("refused")
        reader, writer = self._streams
        try:
            writer.write(wire.pack(question))
            head = await reader.readexactly(wire.HEAD_BYTES)
            reply = wire.reply(await reader.readexactly(wire.length(head)))
        except (OSError, EOFError) as error:
            self.close()
            raise LinkFailed("reset") from error
        except (msgspec.DecodeError, ValueError) as error:
            self.close()
            raise LinkFailed("protocol") from error
        except BaseException:
            self.close()
            raise
        if isinstance(reply, kind):
            return reply
        if isinstance(reply, wire.Failed):
            raise LinkFailed(reply.reason)
        self.close()
        raise LinkFailed("protocol")
