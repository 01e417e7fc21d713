"""Write an answer to the client, truthfully to its last byte."""

from contextlib import suppress
from math import inf
from time import monotonic, time

from steadyhand.core import sse
from steadyhand.core.errors import ShuttingDown
from steadyhand.gateway import errors
from steadyhand.gateway.attempt import BegunStream, WholeAnswer
from steadyhand.gateway.exchange import Exchange
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
TAIL_S = 0.05
"""How long to wait, after the client has its last byte, for upstream to end its body cleanly."""


def whole(exchange: Exchange, found: WholeAnswer) -> str:
    """Send a whole live answer as it came; return how it ended, always ``ok``."""
    trail, read = exchange.trail, found.answer
    trail.first_content_s = monotonic()
    trail.usage = read.usage
    trail.served_model = read.model or ""
    trail.finish_reason = (read.choices[0].finish_reason or "") if read.choices else ""
    trail.status = 200
    exchange.reply.send(200, provenance(exchange, JSON, found.headers), found.body)
    trail.ended_s = monotonic()
    return "ok"


def text(exchange: Exchange, content: str) -> None:
    """Send ``content``, which no model wrote, in the shape that the client asked for."""
    trail = exchange.trail
    made_s = int(time())
    model = exchange.chat.model
    trail.first_content_s = monotonic()
    trail.finish_reason, trail.served_model, trail.status = "stop", model, 200
    if exchange.stream:
        headers = provenance(exchange, EVENTS) + UNBUFFERED
        events = openai.text_events(
            exchange.request_id, model, made_s, content, with_usage=exchange.asks_usage
        )
        exchange.reply.start(200, headers)
        exchange.reply.write(events)
        exchange.reply.end()
    else:
        body = openai.text_answer(exchange.request_id, model, made_s, content)
        exchange.reply.send(200, provenance(exchange, JSON), body)
    trail.ended_s = monotonic()


async def stream(exchange: Exchange, begun: BegunStream) -> str:
    """Relay a stream that has begun to speak; return how it ended.

    From here on no other rung can speak: whatever goes wrong is said in the stream. Returns
    ``ok``, or the reason for which the answer is not whole.
    """
    upstream = begun.reply
    try:
        exchange.reply.start(200, provenance(exchange, EVENTS, upstream.headers) + UNBUFFERED)
        exchange.trail.status = 200
        exchange.trail.first_content_s = monotonic()
        upstream.give_up_at(inf)
        broken = await pump(exchange, begun)
        reason = finish(exchange, begun, broken)
        if reason == "ok":
            await let_end(upstream)
    finally:
        learn(exchange, begun.stream)
        upstream.close()
    return reason


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
    if chat.is_whole:
        reply.write(sse.event(sse.DONE))
        reason = "ok"
    elif chat.error is not None:
        said = begun.rung.classify(200, begun.reply.headers, chat.error)  # no secrets, our shape
        message = said.message or "the provider broke the answer off with an error"
        reply.write(sse.event(errors.relayed(said, 502, message)))
        reason = "upstream_error_event"
    else:
        reason = broken or ("malformed" if chat.malformed else "truncated")
        message = f"the answer was cut off before its end ({reason})"
        reply.write(sse.event(errors.body(502, "stream_truncated", message)))
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
