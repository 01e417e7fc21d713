"""The port between providers and whatever carries their requests.

A provider says once what never changes (:meth:`Transport.endpoint`), then sends bodies to it. The
native implementation is :class:`steadyhand.http.pool.Pool`; what is promised here is promised of
every implementation.
"""

from collections.abc import Awaitable
from typing import Protocol

from steadyhand.http.messages import Headers, Limits, UpstreamReply
from steadyhand.http.origin import Origin


class Endpoint(Protocol):
    """One method and path of an origin, with the header fields of every request to it."""

    def send(self, headers: Headers, body: bytes, limits: Limits) -> Awaitable[UpstreamReply]:
        """Send one request; the result is its response once the head is there.

        The request is on its way at most once, but for one case: a kept connection that the
        upstream had closed, before a byte of an answer came back, if the endpoint is replayable.

        Args:
            headers: Further fields of this request only; may be empty.
            body: Whole; its length is sent as ``Content-Length``.
            limits: Times of this exchange. While waiting for a connection, ``connect_s`` counts.

        Raises:
            UpstreamError: Awaiting the result does; nothing is left open then, nor when the caller
                is cancelled.
        """
        ...


class Transport(Protocol):
    """Sends requests to one origin. Belongs to one event loop; keeps connections open between."""

    @property
    def origin(self) -> Origin:
        """Where requests go."""
        ...

    def endpoint(
        self, method: bytes, path: bytes, headers: Headers, *, replayable: bool
    ) -> Endpoint:
        """Make ready what all requests to ``path`` share; needs no running loop.

        Args:
            method: Upper-case token.
            path: Put after the origin's base path; begins with ``/``.
            headers: Any but Host, Content-Length, Transfer-Encoding and Connection; lower-case
                names.
            replayable: Whether a request may be sent again if a kept connection was closed under
                it before a byte came back.
        """
        ...

    async def close(self) -> None:
        """Cut every connection, fail whoever waits for one, and refuse what comes after."""
        ...
