"""The reply of an upstream as its caller reads it."""

import msgspec

from steadyhand.http.failures import ResponseTooLarge
from steadyhand.http.upstream import UpstreamConnection


class NativeReply(msgspec.Struct, eq=False):
    """Implements :class:`steadyhand.http.messages.UpstreamReply` on an upstream connection.

    Reads from the connection, whose response has its head, until closed.

    Attributes:
        status: HTTP status.
        headers: Lower-case names; repeated fields joined with ``", "``.
    """

    _connection: UpstreamConnection | None
    status: int
    headers: dict[bytes, bytes]

    async def read(self) -> bytes:
        """See :class:`steadyhand.http.messages.UpstreamReply`."""
        connection = self._open()
        response = connection.response
        while not response.pieces:
            if response.complete:
                return b""
            if connection.failure is not None:
                raise connection.failure
            await connection.more()
        return connection.take()

    async def read_all(self, max_bytes: int) -> bytes:
        """See :class:`steadyhand.http.messages.UpstreamReply`."""
        connection = self._open()
        if connection.response.complete:
            body = connection.take()
        else:
            parts, size = [], 0
            while size <= max_bytes and (part := await self.read()):
                parts.append(part)
                size += len(part)
            body = b"".join(parts)
        if len(body) > max_bytes:
            connection.abort()
            raise ResponseTooLarge(f"the response body passes {max_bytes} bytes")
        return body

    def give_up_at(self, at_s: float) -> None:
        """See :class:`steadyhand.http.messages.UpstreamReply`."""
        if self._connection is not None:
            self._connection.give_up_at(at_s)

    def close(self) -> None:
        """See :class:`steadyhand.http.messages.UpstreamReply`."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.release()

    def _open(self) -> UpstreamConnection:
        if self._connection is None:
            raise RuntimeError("a reply is read after it was closed")
        return self._connection
