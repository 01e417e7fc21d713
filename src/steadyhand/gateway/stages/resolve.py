"""Which ladder answers, if the key may call it, under which deadline, with which body?"""

from math import inf

from msgspec import UNSET
from msgspec.structs import replace

from steadyhand.core.chat import ChatRequest, Modality
from steadyhand.core.errors import InvalidValue, ModelNotFound, RouteForbidden
from steadyhand.gateway.exchange import Exchange
from steadyhand.gateway.outgoing import outgoing
from steadyhand.gateway.serving import Ladder, Serving
from steadyhand.http.messages import Header
from steadyhand.tenancy.model import Key

FORWARDED = (b"traceparent", b"tracestate", b"openai-beta", b"idempotency-key")
"""Request headers that go on to a provider; never credentials, never cookies."""

_FORWARDED = frozenset(FORWARDED)
MAX_FORWARDED_BYTES = 512


async def resolve(exchange: Exchange) -> Exchange:
    """Find the ladder, fix the deadline, and make the body that goes upstream.

    Raises:
        RouteForbidden: The key may not call this route.
        ModelNotFound: ``model`` names no route and no provider model that the key may call.
        InvalidValue: The caller's own deadline is not a positive number.
        RecordsUnavailable: Durability is ``strict`` and no answer could be recorded now.
    """
    chat = exchange.chat
    ladder = allowed_ladder(exchange.serving, exchange.key, chat.model)
    if exchange.ledger is not None:
        exchange.ledger.check()
    budget_s = ladder.budget_s(stream=exchange.stream)
    asked_s = caller_budget_s(exchange.request.headers, chat)
    return placed(exchange, ladder, exchange.request.received_s + min(budget_s, asked_s))


def placed(exchange: Exchange, ladder: Ladder, deadline_s: float) -> Exchange:
    """Return ``exchange`` as ``ladder`` will answer it until ``deadline_s`` (monotonic)."""
    chat = exchange.chat
    body = outgoing(exchange.body, chat, ladder.instructions)
    return replace(
        exchange,
        ladder=ladder,
        deadline_s=deadline_s,
        modality=modality(chat),
        body=body,
        model_at=exchange.model_at if body is exchange.body else None,
        forwarded=forwarded(exchange.request.headers),
    )


def allowed_ladder(serving: Serving, key: Key, model: str) -> Ladder:
    """Return what answers for ``model``.

    Raises:
        RouteForbidden: The key may not call this route.
        ModelNotFound: ``model`` names no route and no provider model that the key may call.
    """
    if model in serving.ladders and "*" not in key.routes and model not in key.routes:
        raise RouteForbidden(
            f"key {key.name!r} may not call route {model!r}",
            hint=f"add it to routes of [keys.{key.name}]",
            param="model",
        )
    ladder = serving.ladder(model, key.models)
    if ladder is None:
        raise ModelNotFound(
            f"the model {model[:200]!r} does not exist or this key may not use it",
            hint="GET /v1/models lists what this key may call",
            param="model",
        )
    return ladder


def caller_budget_s(headers: dict[bytes, bytes], chat: ChatRequest) -> float:
    """Return the budget the caller asks for in seconds, ``inf`` if it asks for none.

    It may be less than the route's; more has no effect.
    """
    extension = chat.steadyhand
    if extension is not UNSET and extension is not None and extension.deadline_ms is not None:
        milliseconds = extension.deadline_ms
    elif b"x-steadyhand-deadline-ms" in headers:
        try:
            milliseconds = float(headers[b"x-steadyhand-deadline-ms"])
        except ValueError:
            milliseconds = 0
    else:
        return inf
    if not 0 < milliseconds < inf:
        raise InvalidValue(
            "the deadline must be a number of milliseconds above 0", param="deadline_ms"
        )
    return milliseconds / 1000


def modality(chat: ChatRequest) -> Modality:
    """Tell what kind of answer the request can take."""
    if chat.tools or chat.functions:
        return "tools"
    if chat.response_format is not None and chat.response_format.type != "text":
        return "schema"
    return "text"


def forwarded(headers: dict[bytes, bytes]) -> tuple[Header, ...]:
    """Return the request headers that go on to a provider."""
    if _FORWARDED.isdisjoint(headers):
        return ()
    return tuple(
        (name, headers[name])
        for name in FORWARDED
        if name in headers and len(headers[name]) <= MAX_FORWARDED_BYTES
    )
