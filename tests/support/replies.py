"""A client's end of a reply, in memory."""

import asyncio
import json
from typing import Any

from steadyhand.http.messages import Headers


class MemoryReply:
    """Keeps what a handler writes, and holds it to the protocol of ``Reply``.

    Attributes:
        status: Status sent, 0 if none was.
        headers: Headers sent; a name that is sent twice fails the test.
        writes: Body bytes, one item per ``send`` or ``write``.
        has_ended: Whether the response was finished cleanly.
        is_aborted: Whether the connection was broken on purpose.
        leaves_after: Number of writes after which the client is gone: the handler's task is
            cancelled at its next wait, as a server does.
    """

    def __init__(self, *, leaves_after: int | None = None) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.writes: list[bytes] = []
        self.has_ended = False
        self.is_aborted = False
        self.leaves_after = leaves_after

    @property
    def started(self) -> bool:
        return self.status != 0

    @property
    def body(self) -> bytes:
        """Everything that the client received."""
        return b"".join(self.writes)

    @property
    def bytes_sent(self) -> int:
        return len(self.body)

    def json(self) -> Any:
        """Return the body, read."""
        return json.loads(self.body)

    def send(self, status: int, headers: Headers, body: bytes) -> None:
        self.start(status, headers)
        self.write(body)
        self.end()

    def start(self, status: int, headers: Headers) -> None:
        assert not self.started, "a second status line"
        self.status = status
        for name, value in headers:
            assert name == name.lower(), name
            assert name not in self.headers, f"{name!r} is sent twice"
            assert not {b"\r", b"\n"} & {bytes([byte]) for byte in value}, "a header is split"
            self.headers[name] = value

    def write(self, data: bytes) -> None:
        assert self.started, "body bytes before a status line"
        assert not self.has_ended, "body bytes after the end"
        self.writes.append(data)
        if len(self.writes) == self.leaves_after:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()

    async def drain(self) -> None:
        await asyncio.sleep(0)

    def end(self) -> None:
        assert self.started, "the end before a status line"
        assert not self.has_ended, "a second end"
        self.has_ended = True

    def abort(self) -> None:
        self.is_aborted = True
