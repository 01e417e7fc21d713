"""Answers the gateways for one model: HTTP on a Unix socket, OpenAI's chat completions."""

from collections.abc import Mapping
from math import inf
from time import monotonic

import msgspec

from steadyhand.core.errors import MethodNotAllowed, NotFound, SteadyhandError
from steadyhand.http.messages import Header, Headers, Reply, Request
from steadyhand.inference.admission import Seen
from steadyhand.inference.answer import Answer
from steadyhand.inference.errors import EngineRefused, ModelRefused
from steadyhand.inference.frames import Refused
from steadyhand.inference.model import Model
from steadyhand.inference.process import ProcessEnded
from steadyhand.inference.request import Wanted, read
from steadyhand.inference.warming import Slot

PATH = b"/v1/chat/completions"
REMAINING = b"x-steadyhand-remaining-ms"
"""Request header: milliseconds until the caller has no more use for an answer."""

_JSON: tuple[Header, ...] = ((b"content-type", b"application/json"),)
_STREAM: tuple[Header, ...] = ((b"content-type", b"text/event-stream; charset=utf-8"),)


class Service:
    """Handles the requests of one socket."""

    def __init__(self, model: Model) -> None:
        """Answer for ``model``."""
        self._model = model

    async def handle(self, request: Request, reply: Reply) -> None:
        """Answer one request; see :data:`steadyhand.http.messages.Handler`."""
        try:
            if request.path != PATH:
                raise NotFound(f"there is only {PATH.decode()} here")
            if request.method != b"POST":
                raise MethodNotAllowed("this is asked by POST", allowed="POST")
            until_s = request.received_s + remaining_s(request.headers)
            self._model.require_up()
            wanted = read(request.body)
            slot = await self._model.acquire(
                wanted.body, until_s - monotonic(), is_stream=wanted.is_stream
            )
        except SteadyhandError as error:
            if isinstance(error, ModelRefused):
                refused = self._model.counts.refused
                refused[error.code] = refused.get(error.code, 0) + 1
            fail(reply, error)
            return
        await self._answer(slot, wanted, reply)

    async def _answer(self, slot: Slot, wanted: Wanted, reply: Reply) -> None:
        answer = Answer(wanted)
        first_s: float | None = None
        is_whole = False
        try:
            while (chunk := await slot.generation.next()) is not None:
                data = answer.feed(chunk)
                if first_s is None and answer.has_content:
                    first_s = monotonic() - slot.since_s
                if data:
                    if not reply.started:
                        reply.start(200, _STREAM)
                    reply.write(data)
                    await reply.drain()
            is_whole = answer.is_finished
            self._end(slot.generation.refused, answer, wanted, reply)
        except ProcessEnded:
            fail(reply, self._model.crashed())
        except msgspec.DecodeError as error:
            fail(reply, ModelRefused(f"the engine said what is no chunk: {error}"))
        finally:
            self._settle(slot, answer, wanted, first_s, is_whole=is_whole)

    def _end(self, refused: Refused | None, answer: Answer, wanted: Wanted, reply: Reply) -> None:
        if refused is not None:
            fail(reply, EngineRefused(refused.status, refused.message))
        elif not answer.is_finished:
            fail(reply, ModelRefused("the engine ended without a finish reason"))
        elif wanted.is_stream:
            reply.write(answer.end())
            reply.end()
        else:
            reply.send(200, _JSON, answer.end())

    def _settle(
        self, slot: Slot, answer: Answer, wanted: Wanted, first_s: float | None, *, is_whole: bool
    ) -> None:
        counts, seen = self._model.counts, None
        is_refused = slot.generation.refused is not None
        if not is_refused:
            held_s = monotonic() - slot.since_s
            seen = Seen(wanted.is_stream, held_s, first_s, is_whole)
        self._model.release(slot, seen)
        if is_whole:
            counts.answered += 1
        elif not is_refused and not slot.generation.is_over:
            counts.stopped += 1
        if answer.usage is not None:
            details = answer.usage.prompt_tokens_details
            counts.prompt_tokens += answer.usage.prompt_tokens or 0
            counts.output_tokens += answer.usage.completion_tokens or 0
            counts.cached_tokens += (details.cached_tokens if details else 0) or 0


def remaining_s(headers: Mapping[bytes, bytes]) -> float:
    """Return how long the caller can wait, ``inf`` if it does not say."""
    try:
        return float(headers.get(REMAINING, b"inf")) / 1000
    except ValueError:
        return inf


def fail(reply: Reply, error: SteadyhandError) -> None:
    """Say what is wrong, as a response or, once a stream has begun, as its last event."""
    body = error_body(error.status, error.code, error.message, error.param)
    if reply.started:
        reply.write(b"data: %b\n\n" % body)
        reply.end()
        return
    headers = list(_JSON)
    if error.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % round(error.retry_after_s)))
    reply.send(error.status, headers, body)


def refusal(status: int, code: str, message: str) -> tuple[Headers, bytes]:
    """Write what the listener refuses by itself; see ``http.server.RenderError``."""
    return _JSON, error_body(status, code, message)


def error_body(status: int, code: str, message: str, param: str | None = None) -> bytes:
    """Return an error in OpenAI's shape."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    error = {"message": message, "type": kind, "param": param, "code": code}
    return msgspec.json.encode({"error": error})
