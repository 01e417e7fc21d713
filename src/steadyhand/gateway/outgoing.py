"""The body that goes upstream: the client's own, with the edits of the house, by splice."""

from msgspec import UNSET

from steadyhand.core import splice
from steadyhand.core.chat import ChatRequest
from steadyhand.gateway.exchange import Exchange
from steadyhand.gateway.recording import since_us
from steadyhand.providers.base import Call
from steadyhand.routing.rungs.base import Deployment


def outgoing(body: bytes, chat: ChatRequest, instructions: bytes) -> bytes:
    """Return the body without our own object and with the instructions put first."""
    if chat.steadyhand is not UNSET:
        body = splice.remove_field(body, b"steadyhand")
    return splice.put_first(body, b"messages", instructions) if instructions else body


def call_for(exchange: Exchange, rung: int, deployment: Deployment, began_s: float) -> Call:
    """Return what to ask of ``deployment`` in an attempt that begins at ``began_s``, monotonic.

    A rung's own prompt takes the place of the route's.
    """
    ladder = exchange.answering_ladder()
    own = exchange.own_instructions or ladder.own_instructions
    body, model_at = exchange.body, exchange.model_at
    wording = ladder.wording
    if wording is not None and wording.has_own(rung):
        body, model_at = outgoing(exchange.request.body, exchange.chat, own[rung]), None
        body = wording.filled(body, exchange.as_asked or exchange.chat, rung)
    elif wording is None and rung < len(own) and own[rung]:
        body, model_at = outgoing(exchange.request.body, exchange.chat, own[rung]), None
    headers, trace = exchange.forwarded, exchange.trace
    if trace is not None:
        began_us = since_us(exchange, began_s)
        headers = trace.attempt_headers(headers, deployment.id, began_us)
    return Call(
        body=body,
        model=deployment.id.model,
        stream=exchange.stream,
        asks_usage=exchange.asks_usage,
        headers=headers,
        model_at=model_at,
    )
