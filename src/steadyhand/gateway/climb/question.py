"""What stored rungs and sticky strategies go by in a request. Pure."""

import msgspec
from msgspec import UNSET, UnsetType

from steadyhand.core import splice
from steadyhand.core.chat import Extension, is_given
from steadyhand.gateway.exchange import Exchange
from steadyhand.routing.rungs.base import Question, Sticky

_NOTHING_SAID = Extension()


class _Turn(msgspec.Struct):
    """What is read of a message."""

    role: str = ""
    tool_calls: list[msgspec.Raw] | None = None
    function_call: msgspec.Raw | UnsetType = UNSET


_TURN = msgspec.json.Decoder(_Turn)


def extension(exchange: Exchange) -> Extension:
    """Return the request's ``steadyhand`` object, an empty one if it has none."""
    found = exchange.chat.steadyhand
    return found if isinstance(found, Extension) else _NOTHING_SAID


def user(exchange: Exchange) -> str:
    """Return the end user that the caller names: in our object, or in OpenAI's field ``user``."""
    named = extension(exchange).user or exchange.chat.user
    return named if isinstance(named, str) else ""


def question_of(exchange: Exchange) -> Question:
    """Return the request as stored rungs see it."""
    said = extension(exchange)
    ladder = exchange.answering_ladder()
    return Question(
        tenant=exchange.key.tenant,
        key=exchange.key.name,
        user=user(exchange),
        route=ladder.route,
        release=ladder.release,
        stream=exchange.stream,
        modality=exchange.modality,
        body=_body(exchange),
        messages=exchange.chat.messages,
        locale=said.locale or "",
        has_user_context=said.user_context is True,
        asked_s=exchange.request.received_s,
    )


def _body(exchange: Exchange) -> bytes:
    """Return the body that an answer belongs to, with what a rung's own prompt makes of it."""
    if not exchange.asked:
        return exchange.body
    return splice.set_field(exchange.body, b"steadyhand", exchange.asked)


def unit(exchange: Exchange, sticky: Sticky) -> str:
    """Return what keeps its deployment, empty if the request names no such thing.

    A conversation that the caller gives no name is known by how it began: by its messages up to
    the first that is the user's. They are the same in each later turn.
    """
    named = ""
    if sticky == "key":
        named = exchange.key.name
    elif sticky == "user":
        named = user(exchange)
    elif sticky == "conversation":
        named = extension(exchange).conversation or opening(exchange.chat.messages)
    return f"{exchange.key.tenant}:{named}" if named else ""


def opening(messages: list[msgspec.Raw]) -> str:
    """Return the messages up to the first that is the user's: they are the same in later turns."""
    opening = b""
    for message in messages:
        opening += bytes(message)
        if _role(message) == "user":
            break
    return opening.decode()


def _role(message: msgspec.Raw) -> str:
    try:
        return _TURN.decode(message).role
    except msgspec.DecodeError:
        return ""


def is_tool_call(exchange: Exchange) -> bool:
    """Tell whether tools are offered, or the messages end in a call or in its results."""
    if exchange.modality == "tools":
        return True
    try:
        last = _TURN.decode(exchange.chat.messages[-1])
    except msgspec.DecodeError:
        return True  # not a message that we know: better no second call
    return (
        last.role in {"tool", "function"} or bool(last.tool_calls) or is_given(last.function_call)
    )
