"""Write an answer to the client, truthfully to its last byte."""

from contextlib import suppress
from math import inf
from time import monotonic, time

from steadyhand.core import sse
from steadyhand.core.chat import Usage
from steadyhand.core.errors import RecordsUnavailable, ShuttingDown
from steadyhand.gateway import errors
from steadyhand.gateway.attempt import BegunStream, WholeAnswer
from steadyhand.gateway.climb.run import Run
from steadyhand.gateway.exchange import Exchange, Ledger
from steadyhand.gateway.provenance import provenance
from steadyhand.gateway.relay import ChatStream
from steadyhand.gateway.wire import openai
from steadyhand.http.failures import UpstreamError
from steadyhand.http.messages import CUT, Header, UpstreamReply

JSON = b"application/json"
EVENTS = b"text/event-stream; charset=utf-8"
UNBUFFERED: list[Header] = [(b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no")]
CUT_SENTENCE = (
    "the answer was cut off before its end: this process stops and its drain time is over"
)
LAST = sse.event(sse.DONE)
TAIL_S = 0.05
"""How long to wait, after the client has its last byte, for upstream to end its body cleanly."""


async def whole(exchange: Exchange, found: WholeAnswer, run: Run) -> str:
    """Send a whole live answer as it came; return how it ended, always ``ok``.

    Raises:
        RecordsUnavailable: Nothing was sent, because its record is not on disk.
    """
    trail, read = exchange.trail, found.answer
    trail.first_content_s = monotonic()
    trail.usage = read.usage
    trail.served_model = read.model or ""
    trail.finish_reason = (read.choices[0].finish_reason or "") if read.choices else ""
    trail.status = 200
    if exchange.ledger is not None:
        await exchange.ledger.conclude(exchange, len(found.body), run.attempt("ok", 200))
    exchange.reply.send(200, provenance(exchange, JSON, found.headers), found.body)
    trail.ended_s = monotonic()
    return "ok"


def text_body(
    exchange: Exchange,
    content: str,
    *,
    model: str = "",
    finish_reason: str = "stop",
    usage: Usage | None = None,
) -> bytes:
    """Return ``content``, which no model wrote now, in the shape that the client asked for.

    Args:
        exchange: The request.
        content: The whole text.
        model: Who wrote it once; by default what the client asked for.
        finish_reason: Why it ended.
        usage: What it took once; by default nothing.
    """
    trail = exchange.trail
    model = model or exchange.chat.model
    trail.first_content_s = monotonic()
    trail.finish_reason, trail.served_model, trail.status = finish_reason, model, 200
    said = openai.Said(exchange.request_id, model, int(time()), content, finish_reason, usage)
    if exchange.stream:
        return openai.text_events(said, with_usage=exchange.asks_usage)
    return openai.text_answer(said)


async def text(exchange: Exchange, body: bytes) -> None:
    """Send what :func:`text_body` has made.

    Raises:
        RecordsUnavailable: Nothing was sent, because its record is not on disk.
    """
    if exchange.ledger is not None:
        await exchange.ledger.conclude(exchange, len(body))
    if exchange.stream:
        exchange.reply.start(200, provenance(exchange, EVENTS) + UNBUFFERED)
        exchange.reply.write(body)
        exchange.reply.end()
    else:
        exchange.reply.send(200, provenance(exchange, JSON), body)
    exchange.trail.ended_s = monotonic()


async def stream(exchange: Exchange, begun: BegunStream, run: Run) -> str:
    """Relay a stream that has begun to speak; return how it ended.

    From here on no other rung can speak: whatever goes wrong is said in the stream. Returns
    ``ok``, or the reason for which the answer is not whole. ``run`` is the attempt that speaks.

    Raises:
        RecordsUnavailable: Nothing was sent, because the intent to is not on disk.
    """
    upstream, ledger = begun.reply, exchange.ledger
    try:
        exchange.trail.status = 200
        exchange.trail.first_content_s = monotonic()
        if ledger is not None:
            await ledger.intend(exchange)
        exchange.reply.start(200, provenance(exchange, EVENTS, upstream.headers) + UNBUFFERED)
        upstream.give_up_at(inf)
        broken = await pump(exchange, begun)
        if ledger is not None and begun.stream.is_whole:
            broken = await conclude(exchange, begun, run, ledger)
        reason = finish(exchange, begun, broken)
        if reason == "ok":
            await let_end(upstream)
    finally:
        learn(exchange, begun.stream)
        upstream.close()
    return reason


async def conclude(exchange: Exchange, begun: BegunStream, run: Run, ledger: Ledger) -> str:
    """Make the record of a whole stream durable; return why it is not, or empty."""
    learn(exchange, begun.stream)
    try:
        length = exchange.reply.bytes_sent + len(LAST)
        await ledger.conclude(exchange, length, run.attempt("ok", 200))
    except RecordsUnavailable as error:
        return error.code
    return ""


async def pump(exchange: Exchange, begun: BegunStream) -> str:
    """Pass bytes on until the stream has said how it ends; return why it broke, or empty."""
    reply, upstream, chat = exchange.reply, begun.reply, begun.stream
    out, ended = begun.held, False
    try:
        while True:
            if out:
                reply.write(out)
                await reply.drain()
            if ended or chat.is_over:
                return ""
            data = await upstream.read()
            ended = not data
            out = chat.feed(data)
    except UpstreamError as error:
        return error.reason


def finish(exchange: Exchange, begun: BegunStream, broken: str) -> str:
    """Write the end that the stream deserves; return ``ok`` or why it is not whole."""
    reply, trail, chat = exchange.reply, exchange.trail, begun.stream
    if chat.is_whole and not broken:
        reply.write(LAST)
        reason = "ok"
    elif chat.error is not None:
        said = begun.deployment.classify(
            200, begun.reply.headers, chat.error
        )  # no secrets, our shape
        message = said.message or "the provider broke the answer off with an error"
        reply.write(sse.event(errors.relayed(said, 502, message)))
        reason = "upstream_error_event"
    else:
        reason = broken or ("malformed" if chat.malformed else "truncated")
        reply.write(sse.event(not_whole(reason)))
    if reason != "ok":
        trail.outcome, trail.reason = "truncated", reason
    reply.end()
    trail.ended_s = monotonic()
    return reason


def cut_off(exchange: Exchange) -> None:
    """End a stream that this process has no more time for: with an error event, never whole."""
    trail = exchange.trail
    trail.outcome, trail.reason = "truncated", CUT
    exchange.reply.write(sse.event(errors.body(503, ShuttingDown.code, CUT_SENTENCE)))
    exchange.reply.end()
    trail.ended_s = monotonic()


def not_whole(reason: str) -> bytes:
    """Return the error that ends a stream which is not whole."""
    if reason == RecordsUnavailable.code:
        message = "the answer is complete, but its record could not be written"
        return errors.body(RecordsUnavailable.status, reason, message)
    message = f"the answer was cut off before its end ({reason})"
    return errors.body(502, "stream_truncated", message)


def learn(exchange: Exchange, chat: ChatStream) -> None:
    """Take over into the trail what the stream has said about itself."""
    trail = exchange.trail
    trail.usage = chat.usage
    trail.served_model = chat.served_model
    trail.finish_reason = chat.finish_reason


async def let_end(upstream: UpstreamReply) -> None:
    """Read the end of the body, so that the connection can be used again."""
    upstream.give_up_at(monotonic() + TAIL_S)
    with suppress(UpstreamError):
        while await upstream.read():
            pass
