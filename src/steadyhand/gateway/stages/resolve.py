"""Which ladder answers, if the key may call it, under which deadline, with which body?"""

from math import inf
from time import time

from msgspec import UNSET
from msgspec.structs import replace

from steadyhand.core.chat import ChatRequest, Modality
from steadyhand.core.errors import (
    InvalidValue,
    ModelNotFound,
    RouteForbidden,
    RouteNotReleased,
)
from steadyhand.gateway.climb.question import extension, opening, user
from steadyhand.gateway.exchange import Exchange
from steadyhand.gateway.outgoing import outgoing
from steadyhand.gateway.serving import DEV, Ladder, Serving
from steadyhand.gateway.wording import Wording
from steadyhand.http.messages import Header
from steadyhand.routing.exposure import (
    STABLE,
    UNASSIGNED,
    Assigned,
    Unit,
    assigned,
    is_exposed,
)
from steadyhand.tenancy.model import Key

FORWARDED = (b"traceparent", b"tracestate", b"openai-beta", b"idempotency-key")
"""Request headers that go on to a provider; never credentials, never cookies."""

_FORWARDED = frozenset(FORWARDED)
MAX_FORWARDED_BYTES = 512


async def resolve(exchange: Exchange) -> Exchange:
    """Find the ladder, fix the deadline, and make the body that goes upstream.

    Raises:
        RouteForbidden: The key may not call this route.
        RouteNotReleased: Nothing of this route was released on the key's channel.
        ModelNotFound: ``model`` names no route and no provider model that the key may call.
        InvalidValue: The caller's own deadline is not a positive number.
        VariableMissing: It does not give what the route's prompt needs.
        VariableInvalid: A value is not what the prompt's variable takes.
        PromptTooLong: With these values the prompt would be.
        RecordsUnavailable: Durability is ``strict`` and no answer could be recorded now.
    """
    chat, key = exchange.chat, exchange.key
    if key.channel == DEV:
        ladder, found = allowed_ladder(exchange.serving, key, chat.model), UNASSIGNED
    else:
        ladder, found = released_ladder(exchange)
    if exchange.ledger is not None:
        exchange.ledger.check()
    budget_s = ladder.budget_s(stream=exchange.stream)
    asked_s = caller_budget_s(exchange.request.headers, chat)
    placed_in = placed(exchange, ladder, exchange.request.received_s + min(budget_s, asked_s))
    return replace(placed_in, assigned=found) if found.arm else placed_in


def placed(exchange: Exchange, ladder: Ladder, deadline_s: float) -> Exchange:
    """Return ``exchange`` as ``ladder`` will answer it until ``deadline_s`` (monotonic)."""
    chat = exchange.chat
    if ladder.wording is not None:
        return _worded(exchange, ladder, ladder.wording, deadline_s)
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


def _worded(exchange: Exchange, ladder: Ladder, wording: Wording, deadline_s: float) -> Exchange:
    """Do as :func:`placed` for a ladder whose prompts depend on the request."""
    chat, instructions, own, asked = wording.worded(exchange.chat)
    body = outgoing(exchange.body, exchange.chat, instructions)
    return replace(
        exchange,
        ladder=ladder,
        deadline_s=deadline_s,
        chat=chat,
        as_asked=exchange.chat,
        modality=modality(chat),
        body=wording.filled(body, exchange.chat),
        model_at=None,
        own_instructions=own,
        asked=asked,
        forwarded=forwarded(exchange.request.headers),
    )


def allowed_ladder(serving: Serving, key: Key, model: str) -> Ladder:
    """Return what answers for ``model`` in the workspace.

    Raises:
        RouteForbidden: The key may not call this route.
        ModelNotFound: ``model`` names no route and no provider model that the key may call.
    """
    ladder = serving.ladders.get(model)
    if ladder is not None:
        check_route(key, model)
        return ladder
    return direct_ladder(serving, key, model)


def released_ladder(exchange: Exchange) -> tuple[Ladder, Assigned]:
    """Return what answers on the key's channel, and by which draw.

    Raises:
        RouteForbidden: The key may not call this route.
        RouteNotReleased: The workspace has the route, but nothing was released on this channel.
        ModelNotFound: ``model`` names nothing that the key may call.
    """
    serving, key, model = exchange.serving, exchange.key, exchange.chat.model
    choice = serving.channels.get(key.channel, {}).get(model)
    if choice is None:
        if model in serving.ladders:
            check_route(key, model)
            raise RouteNotReleased(
                f"no release of route {model!r} is on channel {key.channel!r}",
                hint=f"steadyhand channel promote {model} --to {key.channel}",
                param="model",
            )
        return direct_ladder(serving, key, model), UNASSIGNED
    check_route(key, model)
    if not choice.salt:
        return choice.stable, STABLE
    found = assigned(choice.salt, choice.slices, unit_of(exchange, choice.unit))
    if found.arm != "stable" and not is_exposed(
        choice.salt, int(time() * 1e6), exchange.gear.lease
    ):
        found = found._replace(arm="stable", part=-1)
    return choice.ladder(found), found


def unit_of(exchange: Exchange, kind: Unit) -> str:
    """Return who keeps to one arm.

    A conversation without a name is known by its user and by how it began; a user without a name
    by the conversation.
    """
    key = exchange.key
    if kind == "key":
        return f"key {key.tenant} {key.name}"
    who = user(exchange)
    if kind == "user" and who:
        return f"user {key.tenant} {who}"
    named = extension(exchange).conversation
    if named:
        return f"conversation {key.tenant} {named}"
    return f"opening {key.tenant} {who} {opening(exchange.chat.messages)}"


def check_route(key: Key, model: str) -> None:
    """Check that ``key`` may call the route ``model``.

    Raises:
        RouteForbidden: It may not.
    """
    if "*" not in key.routes and model not in key.routes:
        raise RouteForbidden(
            f"key {key.name!r} may not call route {model!r}",
            hint=f"add it to routes of [keys.{key.name}]",
            param="model",
        )


def direct_ladder(serving: Serving, key: Key, model: str) -> Ladder:
    """Return what answers for a provider's model.

    Raises:
        ModelNotFound: There is none of that name, or the key may not call it.
    """
    ladder = serving.direct(model, key.models)
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
