"""The reply over ASGI: what a handler writes at once is carried by a task that may wait.

A handler writes without waiting (:class:`steadyhand.http.messages.Reply`); ASGI's ``send`` is
waited for, and waits itself while the client is slow. So the reply gathers, and :meth:`carry`,
which runs in the server's task for the request, sends what has gathered: as long as the client
keeps up that is each write by itself, one turn of the loop later. What piles up meanwhile is
bounded by ``drain``.
"""

import asyncio

from steadyhand.http.asgi_request import Message, Send
from steadyhand.http.head import BODILESS, header_lines
from steadyhand.http.messages import Headers


class AsgiReply:
    """Implements :class:`steadyhand.http.messages.Reply`; a misuse raises ``RuntimeError``.

    Attributes:
        started: A status line has been written.
        ended: Nothing more can be written.
        aborted: It was ended by :meth:`abort`.
        gone: The client has left; every method then does nothing.
        bytes_sent: Body bytes taken from the handler so far.
    """

    __slots__ = (
        "_bare", "_final", "_gathered", "_head", "_high_water", "_news", "_room", "_waiting",
        "aborted", "bytes_sent", "ended", "gone", "started",
    )  # fmt: skip

    def __init__(self, high_water: int, *, bare: bool) -> None:
        """Gather nothing yet.

        Args:
            high_water: Unsent bytes above which ``drain`` waits.
            bare: The reply carries no body, being the answer to HEAD.
        """
        self._bare = bare
        self._high_water = high_water
        self._head: Message | None = None
        self._gathered: list[bytes] = []
        self._waiting = 0
        self._final = False
        self._news: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self.started = self.ended = self.aborted = self.gone = False
        self.bytes_sent = 0

    def send(self, status: int, headers: Headers, body: bytes) -> None:
        """See :class:`steadyhand.http.messages.Reply`."""
        fields = list(headers)
        if status not in BODILESS:
            fields.append((b"content-length", b"%d" % len(body)))
        self._begin(status, fields)
        if not self._bare and body and not self.gone:
            self._gathered.append(body)
            self.bytes_sent = len(body)
        self._finish()

    def start(self, status: int, headers: Headers) -> None:
        """See :class:`steadyhand.http.messages.Reply`."""
        self._begin(status, list(headers))
        self._tell()

    def write(self, data: bytes) -> None:
        """See :class:`steadyhand.http.messages.Reply`."""
        if not self.started:
            raise RuntimeError("a reply is written to before it is started")
        if self.gone or not data:
            return
        if self.ended:
            if self.aborted:
                return
            raise RuntimeError("a reply is written to after its end")
        self.bytes_sent += len(data)
        if self._bare:
            return
        self._gathered.append(data)
        self._waiting += len(data)
        self._tell()

    async def drain(self) -> None:
        """See :class:`steadyhand.http.messages.Reply`."""
        if self.gone:
            await asyncio.sleep(0)
        elif self._waiting > self._high_water:
            if self._room is None:
                self._room = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._room)

    def end(self) -> None:
        """See :class:`steadyhand.http.messages.Reply`."""
        if not self.started:
            raise RuntimeError("a reply is ended before it is started")
        if not self.ended:
            self._finish()

    def abort(self) -> None:
        """See :class:`steadyhand.http.messages.Reply`; what was written is still delivered."""
        if not self.ended:
            self.ended = self.aborted = True
            self._tell()

    def client_left(self) -> None:
        """Drop what was not sent; nobody will read it."""
        self.gone = True
        self._gathered.clear()
        self._made_room()
        self._tell()

    async def carry(self, send: Send, stall_s: float) -> None:
        """Send what the handler writes, until the reply has ended or its client has left.

        Raises:
            TimeoutError: The client took nothing for ``stall_s`` seconds.
        """
        while not self.gone:
            if not (self._head or self._gathered or self.ended):
                self._news = asyncio.get_running_loop().create_future()
                await self._news
                continue
            head, self._head = self._head, None
            body = b"".join(self._gathered)
            self._gathered.clear()
            final = self._final
            async with asyncio.timeout(stall_s):
                if head is not None:
                    await send(head)
                if body or final:
                    await send({"type": "http.response.body", "body": body, "more_body": not final})
            self._waiting -= len(body)
            if self._waiting <= self._high_water:
                self._made_room()
            if final or (self.aborted and not self._gathered):
                return

    def _begin(self, status: int, fields: list[tuple[bytes, bytes]]) -> None:
        if self.started:
            raise RuntimeError("a reply is started twice")
        header_lines(fields)  # refuses line breaks
        self._bare = self._bare or status in BODILESS
        self._head = {"type": "http.response.start", "status": status, "headers": fields}
        self.started = True

    def _finish(self) -> None:
        self.ended = self._final = True
        self._tell()

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    def _made_room(self) -> None:
        if self._room is not None:
            self._room.set_result(None)
            self._room = None
