"""The handler behind another server: requests and replies over the ASGI protocol.

For an application that has a server already and wants the gateway mounted in it. Sizes, times,
content codings and cancellation are as on our own listener wherever ASGI lets them be; what it
does not let us do is listed in ``docs/guides/mount-in-your-application.md``. Slower than our own
server, as the other server's work is added to ours.

A request costs two tasks: one runs the handler, one waits for the client to leave, and the
server's own carries the reply.
"""

import asyncio
from time import monotonic

from steadyhand.http.answering import RenderError, answer
from steadyhand.http.asgi_reply import AsgiReply
from steadyhand.http.asgi_request import (
    BodyReader,
    ClientLeft,
    Receive,
    Scope,
    Send,
    check_head,
    target_of,
)
from steadyhand.http.head import fields_by_name
from steadyhand.http.limits import ServerLimits
from steadyhand.http.messages import Handler, Request
from steadyhand.http.refusal import Refusal, nothing_refused


class AnswerCut(Exception):
    """An answer was broken off on purpose: the server must close without ending it.

    ASGI has no message for that. Raised out of the application, it passes every middleware, and
    the server closes the connection, so that the client sees that the answer is not whole.
    """


class AsgiServer:
    """An ASGI application around one handler; takes ``http`` scopes only.

    The counters mean what those of :class:`steadyhand.http.server.Server` mean, but that a
    connection is not seen: ``connections`` counts requests in hand.

    Attributes:
        handler: Answers requests, each in a task of its own.
        limits: What is accepted.
        render_error: Makes the body of a refusal and of a handler's failure.
    """

    def __init__(self, handler: Handler, limits: ServerLimits, render_error: RenderError) -> None:
        """Prepare; whoever owns the server calls this object."""
        self.handler = handler
        self.limits = limits
        self.render_error = render_error
        self.requests = self.in_flight = self.connections = 0
        self.refused = nothing_refused()
        self.overload_lag = self.overload_in_flight = 0  # admission belongs to the host's server
        self.write_pauses = 0  # and so do its buffers
        self.disconnects = self.failures = 0
        self._running: set[asyncio.Task[None]] = set()
        self._vacant = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            AnswerCut: The answer was broken off.
        """
        self.connections += 1
        body = BodyReader(receive, self.limits)
        try:
            request = await self._read(scope, body)
        except Refusal as refusal:
            await self._answer_refusal(refusal, scope, body, send)
        except ClientLeft:
            return
        else:
            self.requests += 1
            await self._answer(request, receive, send)
        finally:
            self.connections -= 1
            self._vacant.set()

    async def close(self, drain_s: float) -> None:
        """Let requests in hand end within ``drain_s`` seconds, then cancel their handlers."""
        if not await self._vacated(drain_s):
            for task in self._running:
                task.cancel()
            await self._vacated(self.limits.linger_s)

    async def _read(self, scope: Scope, body: BodyReader) -> Request:
        begun_s = monotonic()
        headers = fields_by_name(scope["headers"])
        if self.connections > self.limits.max_connections:
            raise Refusal(503, "too_many_connections", "too many requests are in hand")
        check_head(scope, headers, self.limits)
        content = await body.read(headers)
        client = scope.get("client")
        return Request(
            scope["method"].encode("ascii"),
            target_of(scope),
            scope.get("query_string", b""),
            headers,
            content,
            begun_s,
            monotonic(),
            client[0] if client else "",
        )

    async def _answer_refusal(
        self, refusal: Refusal, scope: Scope, body: BodyReader, send: Send
    ) -> None:
        self.refused[refusal.code] += 1
        expects = any(name.lower() == b"expect" for name, _ in scope["headers"])
        if refusal.status != 408 and not expects:
            await body.discard()
        headers, said = self.render_error(refusal.status, refusal.code, refusal.message)
        fields = list(headers)
        if scope.get("http_version", "1.1").startswith("1"):
            fields.append((b"connection", b"close"))
        reply = AsgiReply(self.limits.write_high_water, bare=scope["method"] == "HEAD")
        reply.send(refusal.status, fields, said)
        await self._carry(reply, send)

    async def _answer(self, request: Request, receive: Receive, send: Send) -> None:
        reply = AsgiReply(self.limits.write_high_water, bare=request.method == b"HEAD")
        handling = asyncio.create_task(answer(self, request, reply), name="request")
        self._running.add(handling)
        watching = asyncio.create_task(self._watch(receive, reply, handling))
        try:
            await self._carry(reply, send)
            watching.cancel()
            await asyncio.wait((handling,))  # it may still have something to do
        finally:
            watching.cancel()
            if not handling.done():  # the server has cancelled us, or the client takes nothing
                handling.cancel()
                await asyncio.wait((handling,))  # so that its record is there before we go
            self._running.discard(handling)
        if reply.aborted and not reply.gone:
            raise AnswerCut("the answer was broken off on purpose; the client must see that")

    async def _carry(self, reply: AsgiReply, send: Send) -> None:
        try:
            await reply.carry(send, self.limits.stall_s)
        except TimeoutError:
            self.disconnects += 1
            reply.client_left()
            raise AnswerCut("the client took nothing of its answer for too long") from None

    async def _watch(
        self, receive: Receive, reply: AsgiReply, handling: "asyncio.Task[None]"
    ) -> None:
        """Cancel the handler when the client leaves before the reply has ended."""
        while (await receive())["type"] != "http.disconnect":
            pass
        if not reply.ended:
            self.disconnects += 1
            reply.client_left()
            handling.cancel()

    async def _vacated(self, within_s: float) -> bool:
        try:
            async with asyncio.timeout(within_s):
                while self.connections:
                    self._vacant.clear()
                    await self._vacant.wait()
        except TimeoutError:
            return False
        return True
