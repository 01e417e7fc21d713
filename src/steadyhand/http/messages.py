"""What a request handler sees of HTTP: a request to read and a reply to write to.

Two sides, each a port: :class:`Reply` is written by the handler and carried by the native server
protocol (or another server's adapter); :class:`UpstreamReply` is read by the handler and carried
by the native client (or another transport). Bodies stay bytes.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec

Header = tuple[bytes, bytes]
Headers = Sequence[Header]
"""Names in lower case; values without surrounding white space."""


class Request(msgspec.Struct):
    """One request, whole: the handler is called after its last body byte.

    Attributes:
        method: Upper-case token, for example ``b"POST"``.
        path: Target without query, percent-encoding kept.
        query: Bytes after ``?``, or empty.
        headers: Lower-case names; repeated fields joined with ``", "``.
        body: Decoded body (chunks joined, gzip undone), at most the listener's limit.
        begun_s: Monotonic seconds at its first byte.
        received_s: Monotonic seconds at its last byte; latency budgets start here.
        peer: Address of the client, without port.
    """

    method: bytes
    path: bytes
    query: bytes
    headers: dict[bytes, bytes]
    body: bytes
    begun_s: float
    received_s: float
    peer: str


class Reply(Protocol):
    """Where a handler writes its one response.

    Either ``send`` once, or ``start``, any number of ``write`` (each after ``drain`` if the
    client may be slow), and ``end``. ``Content-Length``, ``Transfer-Encoding``, ``Connection`` and
    ``Date`` are the carrier's; the handler never sets them. When the client leaves, the
    handler's task is cancelled.
    """

    @property
    def started(self) -> bool:
        """Whether a status line has been written."""
        ...

    @property
    def bytes_sent(self) -> int:
        """Body bytes handed to the connection so far."""
        ...

    def send(self, status: int, headers: Headers, body: bytes) -> None:
        """Write a whole response with its length."""
        ...

    def start(self, status: int, headers: Headers) -> None:
        """Write the head of a response whose length is unknown."""
        ...

    def write(self, data: bytes) -> None:
        """Write body bytes after ``start``; they leave at once."""
        ...

    async def drain(self) -> None:
        """Wait until the client has taken enough to be sent more; usually returns at once."""
        ...

    def end(self) -> None:
        """Finish a started response cleanly; the connection may serve the next request."""
        ...

    def abort(self) -> None:
        """Break the connection, so that the client cannot mistake a cut answer for a whole one."""
        ...


Handler = Callable[[Request, Reply], Awaitable[None]]
"""Answers one request. Runs in a task of its own; cancelled when the client leaves.

A task that is cancelled with the message :data:`CUT` still has its client: the process stops, and
the handler must end the answer truthfully, at once.
"""

CUT = "shutdown"
"""Message of the cancellation, and reason in records, of what outlasts the drain time."""


def is_cut(cancelled: BaseException) -> bool:
    """Tell whether a task is cancelled because the process stops."""
    return cancelled.args == (CUT,)


class Limits(msgspec.Struct):
    """Times that bound one upstream exchange; durations in seconds, one point in time.

    Attributes:
        connect_s: To a connected socket, TLS included.
        first_byte_s: From the request sent to the first byte of the response.
        idle_s: Between two reads of the body.
        total_s: From the start to the last byte.
        give_up_at_s: Monotonic point at which the caller has no more use for an answer, whatever
            the phase; :meth:`UpstreamReply.give_up_at` moves it.
    """

    connect_s: float
    first_byte_s: float
    idle_s: float
    total_s: float
    give_up_at_s: float


class UpstreamReply(Protocol):
    """A response from upstream whose head has arrived and whose body is being read.

    Every wait raises :class:`steadyhand.http.failures.UpstreamError` when a limit passes or the
    connection breaks. ``close`` must be called exactly when the caller is done, read or not.
    """

    @property
    def status(self) -> int:
        """HTTP status."""
        ...

    @property
    def headers(self) -> dict[bytes, bytes]:
        """Lower-case names; repeated fields joined with ``", "``."""
        ...

    async def read(self) -> bytes:
        """Return the next body bytes as they came, or ``b""`` at a clean end."""
        ...

    async def read_all(self, max_bytes: int) -> bytes:
        """Return the whole rest of the body.

        Raises:
            ResponseTooLarge: More than ``max_bytes``; the connection is cut.
        """
        ...

    def give_up_at(self, at_s: float) -> None:
        """Move the point at which the exchange is given up; monotonic seconds, may be ``inf``."""
        ...

    def close(self) -> None:
        """Let go: a finished exchange returns its connection, an unfinished one cuts it now."""
        ...
