"""The native reply: one response written to one connection of the native server.

A whole reply is one write. A started reply holds its head back until the first body bytes or the
end of the loop's turn, so that both leave in one packet; every later write leaves at once, one
chunk each.
"""

import asyncio
from typing import TYPE_CHECKING

import msgspec

from steadyhand.http.head import BODILESS, header_lines
from steadyhand.http.messages import Headers

if TYPE_CHECKING:
    from steadyhand.http.connection import ServerConnection

_JOIN_BYTES = 64 * 1024


class ServerReply(msgspec.Struct, eq=False):
    """Implements :class:`steadyhand.http.messages.Reply`; a misuse raises ``RuntimeError``.

    Once the client has left every method does nothing, so that a handler needs no checks. A
    struct, because making one is a third of the cost of a class with ``__init__``.

    Attributes:
        keep_alive: Whether the connection may serve another request afterwards.
        started: A status line has been written.
        ended: Nothing more can be written.
        bytes_sent: Body bytes handed to the connection so far.
    """

    _connection: "ServerConnection"
    _http11: bool
    keep_alive: bool
    _bare: bool
    """Carries no body, being the answer to HEAD."""
    _chunked: bool = False
    _head: bytes = b""
    """Held back until the first body bytes."""
    started: bool = False
    ended: bool = False
    bytes_sent: int = 0

    @property
    def may_be_interim(self) -> bool:
        """Whether an interim response may be written now."""
        return self._http11 and not self.started

    def send(self, status: int, headers: Headers, body: bytes) -> None:
        """See :class:`steadyhand.http.messages.Reply`."""
        head = self._begin(status, headers)
        connection = self._connection
        self.ended = True
        if connection.gone:
            return
        if status in BODILESS:
            connection.write(head + b"\r\n")
        else:
            head += b"content-length: %d\r\n\r\n" % len(body)
            if self._bare:
                connection.write(head)
            elif len(body) < _JOIN_BYTES:
                connection.write(head + body)
            else:
                connection.write(head)
                connection.write(body)
            self.bytes_sent = len(body)
        connection.finished(self)

    def start(self, status: int, headers: Headers) -> None:
        """See :class:`steadyhand.http.messages.Reply`."""
        self._bare = self._bare or status in BODILESS
        self._chunked = self._http11 and status not in BODILESS
        if not self._http11 and not self._bare:
            self.keep_alive = False  # HTTP/1.0 knows the end of such a body by the closing only
        head = self._begin(status, headers)
        self._head = head + (b"transfer-encoding: chunked\r\n\r\n" if self._chunked else b"\r\n")
        self._connection.loop.call_soon(self._flush_head)

    def write(self, data: bytes) -> None:
        """See :class:`steadyhand.http.messages.Reply`."""
        if not self.started:
            raise RuntimeError("a reply is written to before it is started")
        connection = self._connection
        if connection.gone or not data:
            return
        if self.ended:
            raise RuntimeError("a reply is written to after its end")
        self.bytes_sent += len(data)
        if self._bare:
            return
        head, self._head = self._head, b""
        if self._chunked:
            data = b"%b%x\r\n%b\r\n" % (head, len(data), data)
        elif head:
            data = head + data
        connection.write_at_once(data)

    async def drain(self) -> None:
        """See :class:`steadyhand.http.messages.Reply`."""
        connection = self._connection
        if connection.gone or connection.transport.is_closing():
            await asyncio.sleep(0)  # let the loss be noticed, or a loop of writes never ends
        elif connection.stalled_since_s is not None:
            await connection.writable()

    def end(self) -> None:
        """See :class:`steadyhand.http.messages.Reply`."""
        if not self.started:
            raise RuntimeError("a reply is ended before it is started")
        if self.ended:
            return
        self.ended = True
        connection = self._connection
        if connection.gone:
            return
        last = b"0\r\n\r\n" if self._chunked and not self._bare else b""
        if self._head or last:
            connection.write(self._head + last)
            self._head = b""
        connection.finished(self)

    def abort(self) -> None:
        """See :class:`steadyhand.http.messages.Reply`.

        What was written to a chunked reply is still delivered: the missing last chunk tells the
        client that the answer is cut. Without chunks only a reset can tell.
        """
        if self.ended:
            return
        self.ended = True
        self._head = b""
        if not self._connection.gone:
            self._connection.cut(reset=self.started and not self._chunked)

    def _begin(self, status: int, headers: Headers) -> bytes:
        """Return the head but for its length and last line."""
        if self.started:
            raise RuntimeError("a reply is started twice")
        server = self._connection.server
        if not self.keep_alive or server.closing:
            self.keep_alive = False
            persistence = b"connection: close\r\n"
        else:
            persistence = b"" if self._http11 else b"connection: keep-alive\r\n"
        head = server.dated_status(status) + header_lines(headers) + persistence
        self.started = True
        return head

    def _flush_head(self) -> None:
        head, self._head = self._head, b""
        if head and not self._connection.gone:
            self._connection.write(head)
