"""An endpoint of the native client: the head of every request to it, made once."""

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from steadyhand.http.head import header_lines
from steadyhand.http.messages import Headers, Limits
from steadyhand.http.native_reply import NativeReply

if TYPE_CHECKING:
    from steadyhand.http.pool import Pool


class NativeEndpoint:
    """Implements :class:`steadyhand.http.transport.Endpoint` on a pool."""

    __slots__ = ("_head", "_pool", "_replayable")

    def __init__(
        self, pool: "Pool", method: bytes, path: bytes, headers: Headers, *, replayable: bool
    ) -> None:
        """Write the head up to what differs between requests."""
        origin = pool.origin
        fields = header_lines([(b"host", origin.authority), *headers])
        self._head = b"%b %b%b HTTP/1.1\r\n%b" % (method, origin.base_path, path, fields)
        self._pool = pool
        self._replayable = replayable

    def send(
        self, headers: Headers, body: bytes, limits: Limits
    ) -> Coroutine[Any, Any, NativeReply]:
        """See :class:`steadyhand.http.transport.Endpoint`."""
        head = b"%b%bcontent-length: %d\r\n\r\n" % (
            self._head,
            header_lines(headers) if headers else b"",
            len(body),
        )
        return self._pool.send(head, body, limits, replayable=self._replayable)
