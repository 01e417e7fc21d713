"""One connection to an upstream, and the exchanges it carries one after another.

Optimised for the exchange on a kept connection whose answer arrives in one read: it costs one
future and one write, and no timer. The connection keeps a single timer over all its exchanges: it
is brought forward when something falls due earlier than it would fire, and when it fires it looks
at what is really due. So limits cost a comparison, not a timer each.

Limits: ``first_byte_s`` bounds the wait for the head, counted from when the request has left our
buffer; ``idle_s`` each wait of a caller for body bytes; ``total_s`` and the give-up point bound
the exchange whoever waits. The earliest one names the failure. Body bytes that arrived before a
failure are read before it is raised.
"""

import asyncio
import select
import ssl
from collections.abc import Callable
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, cast

from typing_extensions import override

from steadyhand.http.failures import (
    ConnectionLost,
    FirstByteTimedOut,
    GaveUp,
    IdleTimedOut,
    TotalTimedOut,
    UpstreamError,
)
from steadyhand.http.messages import Limits
from steadyhand.http.response import ResponseReader
from steadyhand.http.timer import SLACK_S, LateTimer
from steadyhand.http.tls import has_said_goodbye

if TYPE_CHECKING:
    from steadyhand.http.pool import Pool

_JOIN_BYTES = 64 * 1024

STALE_S = 2.0
"""A kept connection that is lost later than this after the request was not stale: the upstream had
the request and died of it, or over it. It is not sent again to the same place."""


class StaleConnection(ConnectionLost):
    """A kept connection turned out to be closed: nothing came back, another may be tried."""


class UpstreamConnection(asyncio.Protocol):
    """Carries one exchange after another to one origin.

    Attributes:
        response: What has arrived of the exchange's response.
        failure: Why no more of it will arrive.
        busy: An exchange is under way.
        is_kept: It has been idle in the pool, so the upstream may have closed it since.
        closed: Not usable any more; its place in the pool is free.
    """

    __slots__ = (
        "_buffered", "_first_byte_s", "_give_up_at_s", "_head_taken", "_idle_s",
        "_idle_since_s", "_loop", "_paused", "_pool", "_readable", "_sending", "_sent_at_s",
        "_timer", "_total_at_s", "_transport", "_waiter", "_waiting_since_s",
        "busy", "closed", "failure", "is_kept", "response",
    )  # fmt: skip

    _transport: asyncio.Transport
    _readable: Callable[[int], list[tuple[int, int]]]

    def __init__(self, pool: "Pool", loop: asyncio.AbstractEventLoop) -> None:
        """Wait for the socket."""
        self._pool = pool
        self._loop = loop
        self._timer = LateTimer(loop, self._on_timer)
        self._waiter: asyncio.Future[None] | None = None
        self._paused = self._sending = self._head_taken = False
        self._buffered = 0
        self._first_byte_s = self._idle_s = self._total_at_s = self._give_up_at_s = inf
        self._sent_at_s = self._waiting_since_s = self._idle_since_s = 0.0
        self.busy = self.closed = self.is_kept = False
        self.failure: UpstreamError | None = None
        self.response = ResponseReader(pool.limits.max_head_bytes)

    def begin(
        self, head: bytes, body: bytes, limits: Limits, begun_s: float
    ) -> asyncio.Future[None]:
        """Send a request; the future is done when the response has its head or never will.

        Whoever stops waiting for it must call :meth:`abort`.
        """
        self.busy = True
        self._head_taken = False
        self._buffered = 0
        self._sent_at_s = now_s = monotonic()
        self._first_byte_s = limits.first_byte_s
        self._idle_s = limits.idle_s
        self._total_at_s = total_at_s = begun_s + limits.total_s
        self._give_up_at_s = give_up_at_s = limits.give_up_at_s
        self.response.begin()
        self._waiter = waiter = self._loop.create_future()
        if self.closed:
            waiter.set_result(None)
            return waiter
        if len(body) < _JOIN_BYTES:
            self._pool.outbox.write(self._loop, self._transport, head + body)
        else:
            self._pool.outbox.write(self._loop, self._transport, head)
            self._pool.outbox.write(self._loop, self._transport, body)
        due_s = self._timer.due_s
        if now_s + limits.first_byte_s < due_s or total_at_s < due_s or give_up_at_s < due_s:
            self._timer.bring_forward(self._next_due()[0])
        return waiter

    def answered(self) -> None:
        """Go on to the body.

        Raises:
            StaleConnection: Kept, and closed before anything came back.
            UpstreamError: A limit passed or the connection broke; it is closed.
        """
        self._waiter = None
        if not self.response.headed:
            raise self._why_closed()
        self._head_taken = True

    def take(self) -> bytes:
        """Return all body bytes that are there, and make room for more."""
        self._buffered = 0
        if self._paused:
            self._resume()
        return self.response.take()

    async def more(self) -> None:
        """Wait until body bytes, the end or a failure is there."""
        self._waiting_since_s = now_s = monotonic()
        if now_s + self._idle_s < self._timer.due_s:
            self._timer.bring_forward(now_s + self._idle_s)
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        except BaseException:  # a caller that is cancelled has no more use for the connection
            self.abort()
            raise
        finally:
            self._waiter = None

    def give_up_at(self, at_s: float) -> None:
        """Move the point at which the exchange is given up."""
        self._give_up_at_s = at_s
        if at_s < self._timer.due_s:
            self._timer.bring_forward(at_s)

    def release(self) -> None:
        """End the exchange: back to the pool if nothing is left of it, else closed now."""
        response = self.response
        if not (response.complete and response.keep_alive) or self._sending or self.closed:
            self.abort()
            return
        response.pieces.clear()
        if self._paused:
            self._resume()
        self.busy = False
        self.is_kept = True
        self._idle_since_s = now_s = monotonic()
        if now_s + self._pool.limits.idle_s < self._timer.due_s:
            self._timer.bring_forward(now_s + self._pool.limits.idle_s)
        self._pool.put_back(self)

    def is_silent(self) -> bool:
        """Look whether nothing has come since the last exchange: neither bytes nor an end.

        What has arrived and was not read yet would else be taken for an answer to the next
        request. Costs one system call, which is less than a request lost.
        """
        return not (self.closed or self._readable(0))

    def abort(self) -> None:
        """Cut the connection now."""
        if self.closed:
            return
        self.closed = True
        self._timer.stop()
        self._pool.forget(self)
        self._transport.abort()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=1, low=0)  # so that `_sending` is exact
        self._idle_since_s = monotonic()
        self._timer.bring_forward(self._idle_since_s + self._pool.limits.idle_s)
        probe = select.poll()
        probe.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
        self._readable = probe.poll

    @override
    def data_received(self, data: bytes) -> None:
        if not self.busy:
            self._pool.traffic.stale_idle += 1
            self.abort()  # nobody asked: what it says could be taken for the next answer
            return
        response, waiter = self.response, self._waiter
        try:
            response.feed(data)
        except UpstreamError as failure:
            self.fail(failure)
            return
        if waiter is not None and (
            response.pieces or response.complete or (response.headed and not self._head_taken)
        ):
            self._wake()
        if not response.complete:
            self._buffered += len(data)
            if self._buffered > self._pool.limits.buffer_bytes:
                self._paused = True
                self._transport.pause_reading()

    @override
    def eof_received(self) -> None:
        self._peer_closed(None, is_clean=has_said_goodbye(self._tls()))

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._peer_closed(exc, is_clean=exc is None and self._tls() is None)
        self._pool.lost(self)

    @override
    def pause_writing(self) -> None:
        self._sending = True

    @override
    def resume_writing(self) -> None:
        self._sending = False
        self._sent_at_s = monotonic()
        if self.busy and not self.response.headed:
            self._timer.bring_forward(self._sent_at_s + self._first_byte_s)

    def _tls(self) -> ssl.SSLObject | None:
        found: ssl.SSLObject | None = self._transport.get_extra_info("ssl_object")
        return found

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _resume(self) -> None:
        self._paused = False
        if not self.closed:
            self._transport.resume_reading()

    def fail(self, failure: UpstreamError) -> None:
        """Cut the connection and tell the caller why, once it has read what came before."""
        if self.failure is None and not self.response.complete:
            self.failure = failure
        self.abort()
        self._wake()

    def _peer_closed(self, exc: Exception | None, *, is_clean: bool) -> None:
        """Take the end of the stream as the end of a body that has no other, else as a loss."""
        if self.closed:
            return
        if not self.busy:
            self._pool.traffic.stale_idle += 1
        elif is_clean and self.response.ends_with_stream():
            self.response.complete = True
        self.fail(self._why_closed(exc))

    def _why_closed(self, exc: Exception | None = None) -> UpstreamError:
        if self.failure is not None:
            return self.failure
        why = f": {exc}" if exc else ""
        if self.response.fed:
            return ConnectionLost(f"the upstream closed before the response was complete{why}")
        if self.is_kept and monotonic() - self._sent_at_s < STALE_S:
            return StaleConnection(f"the kept connection was closed by the upstream{why}")
        return ConnectionLost(f"the upstream closed without a response{why}")

    def _next_due(self) -> tuple[float, type[UpstreamError]]:
        """Return what falls due first in the exchange, and the failure it would be."""
        due_s = self._total_at_s
        failure: type[UpstreamError] = TotalTimedOut
        if not self.response.headed:
            if not self._sending and self._sent_at_s + self._first_byte_s < due_s:
                due_s, failure = self._sent_at_s + self._first_byte_s, FirstByteTimedOut
        elif self._is_idle_wait() and self._waiting_since_s + self._idle_s < due_s:
            due_s, failure = self._waiting_since_s + self._idle_s, IdleTimedOut
        if self._give_up_at_s <= due_s:
            due_s, failure = self._give_up_at_s, GaveUp
        return due_s, failure

    def _is_idle_wait(self) -> bool:
        """Tell whether the caller waits for body bytes: not while it has yet to take the head."""
        return self._waiter is not None and self._head_taken

    def _on_timer(self, now_s: float) -> float:
        """Do what is due; see :class:`steadyhand.http.timer.LateTimer`."""
        if not self.busy:
            due_s = self._idle_since_s + self._pool.limits.idle_s
            if due_s <= now_s + SLACK_S:
                self.abort()
            return due_s
        if self.response.complete:
            return inf
        due_s, failure = self._next_due()
        if due_s <= now_s:
            self.fail(failure(f"nothing more from {self._pool.origin!r} in time"))
        return due_s
