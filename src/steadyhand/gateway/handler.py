"""The request handler: every path of the AI API, one record for each request that names a model.

It knows neither the server protocol nor the upstream transport; it reads a request object and
writes to a reply object.
"""

from asyncio import CancelledError
from collections.abc import Callable
from time import time
from urllib.parse import unquote

import msgspec
from msgspec.structs import replace

from steadyhand.core.chat import ChatRequest
from steadyhand.core.errors import (
    InvalidRequest,
    MethodNotAllowed,
    ModelNotFound,
    NoAnswer,
    NotFound,
    RecordsUnavailable,
    ShuttingDown,
    SteadyhandError,
)
from steadyhand.core.ids import RequestIds
from steadyhand.core.splice import Span
from steadyhand.gateway import errors, feedback, send
from steadyhand.gateway.climb.gear import Gear
from steadyhand.gateway.cors import Cors
from steadyhand.gateway.errors import RelayedFailure
from steadyhand.gateway.exchange import Exchange, Ledger, Trail
from steadyhand.gateway.pipeline import STAGES
from steadyhand.gateway.provenance import identity
from steadyhand.gateway.recording import CLIENT_GONE, record_of
from steadyhand.gateway.serving import Ladder, Serving
from steadyhand.gateway.stages.admit import admit, authenticate
from steadyhand.gateway.stages.answer import answer
from steadyhand.gateway.stages.resolve import placed
from steadyhand.gateway.tracing import OFF, Tracing, sent_parent
from steadyhand.gateway.wire import openai
from steadyhand.http.messages import Header, Reply, Request, is_cut
from steadyhand.records.annotation import Annotation
from steadyhand.records.record import Record

UNREAD = ChatRequest(model="", messages=[])
MAX_CLIENT_ID_BYTES = 128
MODELS = b"/v1/models"
CHAT = b"/v1/chat/completions"


class Gateway:
    """Answers requests from the snapshot in force; leaves one record each."""

    def __init__(
        self,
        serving: Serving,
        append: Callable[[Record], object],
        ids: RequestIds,
        cors: Cors,
        process: int,
        ledger: Ledger | None = None,
        annotate: Callable[[Annotation], None] = lambda annotation: None,
        gear: Gear | None = None,
        tracing: Tracing = OFF,
    ) -> None:
        """Take what is served from, where records go, and this process's number.

        With a ``ledger`` no answer leaves before its record is on disk. ``annotate`` takes what
        becomes known of a request after its record. ``gear`` is what climbs share; without it,
        nothing but what this gateway learns. ``tracing`` says whether requests get spans.
        """
        self.serving = serving
        self.is_draining = False
        self.annotate = annotate
        self._append = append
        self._ids = ids
        self._cors = cors
        self.process = process
        self._ledger = ledger
        self._tracing = tracing
        self.gear = gear or Gear(annotate=annotate)

    async def handle(self, request: Request, reply: Reply) -> None:
        """Answer ``request``. See :data:`steadyhand.http.messages.Handler`."""
        if request.path == CHAT and request.method == b"POST":
            await self._chat(request, reply)
        elif request.path == feedback.PATH and request.method == b"POST":
            self._feedback(request, reply)
        else:
            self._other(request, reply)

    def refusal(self, status: int, code: str, message: str) -> tuple[list[Header], bytes]:
        """Return headers and body for what the server refuses before a request can be read.

        It gets an id of ours to be found by in the client's logs; a record it has not.
        """
        headers, body = errors.server_error(status, code, message)
        request_id = self._ids.next().encode()
        headers += [(b"x-request-id", request_id), (b"x-steadyhand-request-id", request_id)]
        return headers, body

    def rehearsal(
        self, ladder: Ladder, request: Request, reply: Reply, deadline_s: float
    ) -> Exchange:
        """Return an exchange of our own on ``ladder``, as it stands after ``resolve``.

        Its record is not waited for, whatever the durability.
        """
        chat, model_at = openai.read_chat(request.body)
        exchange = self._exchange(request, reply, chat, model_at)
        return placed(replace(exchange, ledger=None), ladder, deadline_s)

    async def rehearse(self, exchange: Exchange) -> None:
        """Let the ladder answer; what happens is in the trail, and nothing is recorded."""
        exchange.serving.users += 1
        try:
            await answer(exchange)
        except SteadyhandError as error:
            self._refuse(exchange, error)
        finally:
            exchange.serving.users -= 1

    async def _chat(self, request: Request, reply: Reply) -> None:
        """Take a chat request through the pipeline; whatever happens, append its record."""
        chat, model_at, mistake = read(request.body)
        exchange = self._exchange(request, reply, chat, model_at)
        trail, serving = exchange.trail, exchange.serving
        serving.users += 1
        try:
            if mistake is not None:
                exchange = await admit(exchange)  # first: strangers learn nothing of it
                raise mistake
            for stage in STAGES:
                exchange = await stage(exchange)
        except SteadyhandError as error:
            self._refuse(exchange, error)
        except CancelledError as cancelled:
            if is_cut(cancelled) and not trail.ended_s:
                self._cut_off(exchange)
                return
            if not trail.ended_s:  # a client may leave as soon as it has the last byte
                trail.outcome, trail.reason = "client_gone", "client_gone"
                trail.status = trail.status or CLIENT_GONE
            raise
        except Exception:
            trail.outcome, trail.reason = "failed", "internal_error"
            trail.status = trail.status or 500
            raise  # a bug: the server answers 500 and counts it
        finally:
            serving.users -= 1
            self._keep(exchange)

    def _keep(self, exchange: Exchange) -> None:
        """Append the record, unless it is in the log as it is true."""
        if not exchange.trail.is_recorded:
            self._append(record_of(exchange, "chat", self.process))

    def _exchange(
        self, request: Request, reply: Reply, chat: ChatRequest, model_at: Span | None = None
    ) -> Exchange:
        """Return an exchange of which only the ids and the body's reading are known."""
        headers, request_id = request.headers, self._ids.next()
        parent = sent_parent(headers)
        return Exchange(
            request,
            reply,
            request_id,
            client_id(headers) if b"x-request-id" in headers else "",
            self.serving,
            Trail(),
            chat,
            request.body,
            model_at=model_at,
            reply_headers=self._cors.headers(request) if b"origin" in headers else (),
            ledger=self._ledger,
            gear=self.gear,
            stream=chat.stream is True,
            parent=parent,
            trace=self._tracing.begun(request_id, parent),
        )

    def _refuse(self, exchange: Exchange, error: SteadyhandError) -> None:
        """Send ``error`` in the client's shape and note it."""
        trail = exchange.trail
        status, headers, body = errors.render(error)
        trail.status = status
        had_answer, trail.first_content_s = trail.first_content_s, 0.0
        if isinstance(error, RecordsUnavailable) and had_answer:
            trail.outcome, trail.reason, trail.rung = "failed", error.code, "error"
        elif not isinstance(error, NoAnswer | RelayedFailure):  # those have noted how it ended
            trail.outcome, trail.reason = "rejected", error.code
        headers += identity(exchange)
        exchange.reply.send(status, headers, body)

    def _cut_off(self, exchange: Exchange) -> None:
        """End an answer because the process stops: truthfully, however far it has come."""
        if exchange.reply.started:
            send.cut_off(exchange)
        else:
            self._refuse(
                exchange,
                ShuttingDown(
                    "this process stops and has no more time for the request",
                    hint="send it again",
                    retry_after_s=errors.RETRY_AFTER_S,
                ),
            )

    def _other(self, request: Request, reply: Reply) -> None:
        """Answer every path that needs no model."""
        method = b"GET" if request.method == b"HEAD" else request.method
        path = request.path
        if method == b"OPTIONS":
            reply.send(204, self._cors.preflight(request), b"")
        elif path == b"/healthz" and method == b"GET":
            reply.send(200, [errors.JSON], b'{"status":"ok"}')
        elif path == b"/readyz" and method == b"GET":
            ready = not self.is_draining
            body = b'{"status":"%b"}' % (b"ready" if ready else b"draining")
            reply.send(200 if ready else 503, [errors.JSON], body)
        else:
            self._models(request, reply, method)

    def _feedback(self, request: Request, reply: Reply) -> None:
        """Keep what a caller says of an answer."""
        exchange = self._exchange(request, reply, UNREAD)
        try:
            key = authenticate(request.headers, self.serving)
            note = feedback.read_feedback(request.body, key, int(time() * 1e6))
            if self.gear.annotate is None:
                raise RecordsUnavailable("nothing can be kept here", hint="ask another gateway")
            self.gear.annotate(note)
        except SteadyhandError as error:
            self._refuse(exchange, error)
        else:
            body = msgspec.json.encode({"object": "feedback", "request_id": note.request_id})
            reply.send(202, [errors.JSON, *identity(exchange)], body)

    def _models(self, request: Request, reply: Reply, method: bytes) -> None:
        """Answer the models list, and say clearly what is not there."""
        exchange = self._exchange(request, reply, UNREAD)
        headers: list[Header] = [errors.JSON, *identity(exchange)]
        try:
            body = self._model_list(request, method)
        except SteadyhandError as error:
            self._refuse(exchange, error)
        else:
            reply.send(200, headers, body)

    def _model_list(self, request: Request, method: bytes) -> bytes:
        """Return the models that the key may call, or the one that the path names.

        Raises:
            SteadyhandError: No such path, method, model; or the key is not good.
        """
        path = request.path.decode("latin-1")
        if request.path in {CHAT, feedback.PATH}:
            raise MethodNotAllowed(
                f"{path} takes POST", hint="send the request with POST", allowed="POST, OPTIONS"
            )
        if request.path != MODELS and not request.path.startswith(MODELS + b"/"):
            raise NotFound(
                f"no such path: {path[:200]}",
                hint=f"ask POST {CHAT.decode()} or GET {MODELS.decode()}: docs/guides/clients.md"
                " says how clients are told to",
            )
        if method != b"GET":
            raise MethodNotAllowed(
                f"{path} takes GET", hint="send the request with GET", allowed="GET, HEAD, OPTIONS"
            )
        key = authenticate(request.headers, self.serving)
        made_s = self.serving.snapshot.compiled_us // 1_000_000
        allowed = [
            openai.model_entry(name, made_s, "steadyhand")
            for name in self.serving.route_names(key.channel)
            if "*" in key.routes or name in key.routes
        ]
        if request.path == MODELS:
            return msgspec.json.encode({"object": "list", "data": allowed})
        wanted = unquote(path[len(MODELS) + 1 :])
        for entry in allowed:
            if entry["id"] == wanted:
                return msgspec.json.encode(entry)
        raise ModelNotFound(f"the model {wanted[:200]!r} does not exist", param="model")


def read(body: bytes) -> tuple[ChatRequest, Span | None, InvalidRequest | None]:
    """Return what a body says and where its model stands, or why it cannot be read."""
    try:
        chat, model_at = openai.read_chat(body)
    except InvalidRequest as mistake:
        return UNREAD, None, mistake
    return chat, model_at, None


def client_id(headers: dict[bytes, bytes]) -> str:
    """Return the client's own request id if it is short and printable, else empty."""
    sent = headers.get(b"x-request-id", b"")
    if len(sent) <= MAX_CLIENT_ID_BYTES and sent.isascii():
        text = sent.decode()
        return text if text.isprintable() else ""
    return ""
