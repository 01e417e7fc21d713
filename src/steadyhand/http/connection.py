"""One client connection of the native server: bytes in, tasks started, replies in order.

Optimised for the common case, in which a request arrives in one read and its answer leaves in one
write: then a request costs one task and nothing else of the loop, no timer, no future.

- One request is answered at a time. Later ones of a pipelining client are parsed and wait; beyond
  ``max_ahead_bytes`` the socket is not read (and a leaving client not noticed) until they were.
- The handler's task is cancelled when the client leaves before the reply has ended. After the end
  of the reply the task may finish what it has to do and is left alone. A client that only shuts
  its side before its answer has begun still gets it (``half_close.py``).
- One timer a connection. It is armed late and looks at what is due when it fires; only a request
  that arrives in parts, and a client that does not take its answer, bring it forward.
"""

import asyncio
from collections import deque
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, cast

from typing_extensions import override

from steadyhand.http.answering import answer
from steadyhand.http.clients import client_of
from steadyhand.http.half_close import CONTINUE, HalfClose
from steadyhand.http.head import header_lines, status_line
from steadyhand.http.messages import CUT, Request
from steadyhand.http.refusal import Refusal, too_slow
from steadyhand.http.reply import ServerReply
from steadyhand.http.request import BODY, HEAD, RequestReader
from steadyhand.http.socket_state import has_unread
from steadyhand.http.socket_state import reset as reset_connection
from steadyhand.http.timer import SLACK_S, LateTimer

if TYPE_CHECKING:
    from steadyhand.http.admission import Admission
    from steadyhand.http.server import Server

_LOOK_AGAIN_S = 0.05


class ServerConnection(asyncio.Protocol):
    """Carries requests of one client to the handler.

    Attributes:
        server: What the connections of a listener share.
        loop: The loop that it lives on.
        transport: Its socket.
        gone: Nothing more can be written.
        stalled_since_s: Monotonic second since which the client takes too little; ``None`` if
            there is room to write.
    """

    __slots__ = (
        "_ahead", "_client", "_close_due_s", "_deaf", "_half_close", "_idle_since_s",
        "_is_unwanted", "_paused", "_queue", "_reader", "_refusal", "_reply", "_task", "_timer",
        "_writable",
        "gone", "loop", "server", "stalled_since_s", "transport",
    )  # fmt: skip

    transport: asyncio.Transport
    _reader: RequestReader

    def __init__(self, server: "Server", loop: asyncio.AbstractEventLoop) -> None:
        """Wait for the socket."""
        self.server = server
        self.loop = loop
        self.gone = False
        self.stalled_since_s: float | None = None
        self._ahead = 0
        self._close_due_s = inf
        self._deaf = self._paused = self._is_unwanted = False
        self._half_close: HalfClose | None = None
        self._idle_since_s = 0.0
        self._queue: deque[tuple[Request, ServerReply]] = deque()
        self._refusal: Refusal | None = None
        self._reply: ServerReply | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer = LateTimer(loop, self._on_timer)
        self._writable: asyncio.Future[None] | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        server, limits = self.server, self.server.limits
        peer = transport.get_extra_info("peername")
        address = str(peer[0]) if peer else ""
        self._reader = RequestReader(limits, address, self._deliver)
        self.transport.set_write_buffer_limits(high=limits.write_high_water)
        server.open_connections.add(self)
        self._idle_since_s = monotonic()
        self._timer.bring_forward(self._idle_since_s + limits.keep_alive_s)
        self._client = client_of(address)
        turned_away = server.clients.enter(self._client)
        if turned_away is not None:
            self._turn_away(turned_away)

    @override
    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        now_s = monotonic()
        admission = self.server.admission
        if admission is not None and admission.is_shedding and self._shed(admission, data, now_s):
            return
        busy = self._reply is not None
        try:
            self._reader.feed(data, now_s)
        except Refusal as refusal:
            self._refuse(refusal)
            return
        if busy:
            self._ahead += len(data)
            if self._ahead > self.server.limits.max_ahead_bytes:
                self._paused = True
                self.transport.pause_reading()
        elif self._reader.phase and self._reply is None:
            self._await_rest()

    def _shed(self, admission: "Admission", data: bytes, now_s: float) -> bool:
        """Refuse the request that begins now, if there are too many."""
        if self._reply is not None or self._reader.phase:
            return False
        refused = admission.judge(data)
        if refused is None:
            return False
        if isinstance(refused, bytes):
            self._idle_since_s = now_s
            admission.outbox.write(self.loop, self.transport, refused)
        else:
            self._answer_refusal(refused)
        return True

    @override
    def eof_received(self) -> bool:
        self.server.outbox.flush()  # an answer that ended in this turn
        reply = self._reply
        if reply is None or reply.started or self.transport.get_extra_info("sslcontext"):
            self._client_left()
            return False
        self._deaf = True
        now_s = monotonic()
        self._half_close = HalfClose(self.transport, now_s, may_probe=reply.may_be_interim)
        self._timer.bring_forward(self._half_close.look_s)
        return True

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._client_left()
        self._timer.stop()
        if self._task is not None and not self._task.done():
            self.server.keep_until_done(self._task)
        self.server.clients.leave(self._client, "turned away" if self._is_unwanted else "stayed")
        self.server.forget(self)

    @override
    def pause_writing(self) -> None:
        self.server.write_pauses += 1
        self.stalled_since_s = monotonic()
        self._timer.bring_forward(self.stalled_since_s + self.server.limits.stall_s)

    @override
    def resume_writing(self) -> None:
        self.stalled_since_s = None
        if self._writable is not None:
            self._writable.set_result(None)
            self._writable = None

    async def writable(self) -> None:
        """Wait until the client has taken enough to be sent more."""
        if self._writable is None:
            self._writable = self.loop.create_future()
        await asyncio.shield(self._writable)

    def finished(self, reply: ServerReply) -> None:
        """Go on after a reply was written to its end; called by the reply."""
        self._reply = None
        if not reply.keep_alive:
            self.close()
        elif self._queue:
            self._start(*self._queue.popleft())
        elif self._refusal is not None:
            self._answer_refusal(self._refusal)
        elif self._half_close is not None:
            self.close()
        else:
            self._idle_since_s = monotonic()
            if self._ahead or self._reader.phase:
                self._read_on()
            if self.server.closing and not self._reader.phase:
                self._part()

    def write(self, data: bytes) -> None:
        """Send ``data`` together with what the other connections write in this turn."""
        self.server.outbox.write(self.loop, self.transport, data)

    def write_at_once(self, data: bytes) -> None:
        """Send ``data`` now."""
        self.server.outbox.write_at_once(self.transport, data)

    def close(self) -> None:
        """Close after what was written has left, at most ``linger_s`` from now."""
        self.gone = self._deaf = True
        self.server.outbox.flush()
        self.transport.close()
        if self.transport.get_write_buffer_size():
            self._arm_close()

    def part(self) -> None:
        """Close if idle, now or after the server's ``parting_s``; used when it drains."""
        if self._reply is None and not self._reader.phase and not self.gone:
            self._idle_since_s = monotonic()
            self._part()

    def cut_off(self) -> bool:
        """Tell the handler to end its answer now; ``False`` if none runs."""
        if self._reply is None or self._task is None or self._task.done():
            return False
        self._queue.clear()
        return self._task.cancel(CUT)

    def cancel(self) -> None:
        """Cancel the handler and break the connection; used when draining took too long."""
        self._client_left()
        self.cut(reset=False)
        self.transport.abort()

    def cut(self, *, reset: bool) -> None:
        """Close without finishing the reply; ``reset`` discards what has not left yet."""
        self._queue.clear()
        self._reply = None
        if not reset:
            self.close()
            return
        self.gone = self._deaf = True
        reset_connection(self.transport)

    def _deliver(self, request: Request, http11: bool, keep_alive: bool) -> None:  # noqa: FBT001
        self.server.requests += 1
        reply = ServerReply(self, http11, keep_alive, request.method == b"HEAD")
        if self._reply is None:
            self._start(request, reply)
        else:
            self._queue.append((request, reply))

    def _start(self, request: Request, reply: ServerReply) -> None:
        if self._task is not None and not self._task.done():
            self.server.keep_until_done(self._task)
        self._reply = reply
        self._task = asyncio.Task(
            answer(self.server, request, reply), loop=self.loop, name="request"
        )

    def _part(self) -> None:
        """Close an idle connection of a server that drains, once its parting time is over."""
        due_s = self._idle_since_s + self.server.parting_s
        if due_s > monotonic() or has_unread(self.transport):
            self._timer.bring_forward(due_s)
        else:
            self.close()

    def _read_on(self) -> None:
        """Turn to the client after a reply, when nothing of the client's is waiting."""
        if self._paused:
            self._paused = False
            self.transport.resume_reading()
        self._ahead = 0
        if self._reader.phase:
            self._reader.phase_begun_s = self._idle_since_s
            self._await_rest()

    def _await_rest(self) -> None:
        """Bound the wait for the rest of a request, and ask for it if the client wants that."""
        if self._reader.expects_continue:
            self._reader.expects_continue = False
            self.write(CONTINUE)
        self._timer.bring_forward(self._next_due_s())

    def _turn_away(self, refusal: Refusal) -> None:
        self._is_unwanted = True
        if self.server.clients.may_be_told:
            self._answer_refusal(refusal)
        else:
            self.server.refused[refusal.code] += 1
            self.cut(reset=True)

    def _refuse(self, refusal: Refusal) -> None:
        self._deaf = True
        if self._reply is None:
            self._answer_refusal(refusal)
        else:
            self._refusal = refusal

    def _answer_refusal(self, refusal: Refusal) -> None:
        """Answer and close, so that the client can read the answer though it is still sending."""
        self.gone = self._deaf = True
        self.server.refused[refusal.code] += 1
        headers, body = self.server.render_error(refusal.status, refusal.code, refusal.message)
        self.write(
            b"%b%bcontent-length: %d\r\nconnection: close\r\n\r\n%b"
            % (status_line(refusal.status), header_lines(headers), len(body), body)
        )
        if self.transport.can_write_eof():
            self.server.outbox.flush()
            self.transport.write_eof()
            self._arm_close()
        else:
            self.close()

    def _client_left(self) -> None:
        self.gone = self._deaf = True
        self._queue.clear()
        if self._writable is not None:
            self._writable.set_result(None)
            self._writable = None
        if self._reply is not None:
            self._reply = None
            self.server.disconnects += 1
            if self._task is not None:
                self._task.cancel()

    def _look_after(self, half_close: HalfClose, now_s: float) -> float:
        """See whether a client that shut its side is still there; return when to look again."""
        if now_s + SLACK_S >= half_close.look_s:
            reply = self._reply
            may_probe = reply is not None and reply.may_be_interim
            if half_close.has_left(now_s, may_probe=may_probe):
                self._client_left()
                self.transport.abort()
                return inf
        return half_close.look_s

    def _arm_close(self) -> None:
        self._close_due_s = monotonic() + self.server.limits.linger_s
        self._timer.bring_forward(self._close_due_s)

    def _next_due_s(self) -> float:
        limits = self.server.limits
        if self._close_due_s is not inf:
            return self._close_due_s
        if self.stalled_since_s is not None:
            return self.stalled_since_s + limits.stall_s
        if self._reply is not None:
            return inf
        if self._reader.phase == HEAD:
            return self._reader.phase_begun_s + limits.head_timeout_s
        if self._reader.phase == BODY:
            return self._reader.body_due_s()
        stays_s = self.server.parting_s if self.server.closing else limits.keep_alive_s
        return self._idle_since_s + stays_s

    def _on_timer(self, now_s: float) -> float:
        """Do what is due; see :class:`steadyhand.http.timer.LateTimer`."""
        due_s = self._next_due_s()
        if due_s > now_s + SLACK_S:
            if self._half_close is not None:
                due_s = min(due_s, self._look_after(self._half_close, now_s))
            return min(due_s, now_s + self.server.limits.keep_alive_s)
        if self._close_due_s is not inf or self.stalled_since_s is not None:
            self._client_left()
            self.transport.abort()
        elif self._reader.phase:
            self._answer_refusal(too_slow())
        elif has_unread(self.transport):  # a request has come: it would be lost
            return now_s + _LOOK_AGAIN_S
        else:
            self.close()
        return inf
