"""Climb the ladder under the deadline, then say what the one who speaks has to say."""

from asyncio import CancelledError
from typing import cast

from steadyhand.core.chat import is_given
from steadyhand.core.errors import NoAnswer, RecordsUnavailable
from steadyhand.gateway import sampled, send
from steadyhand.gateway.attempt import BegunStream, WholeAnswer
from steadyhand.gateway.climb.climb import Climb
from steadyhand.gateway.climb.run import Run, why_left
from steadyhand.gateway.climb.voice import Stored
from steadyhand.gateway.errors import RELAYED, RETRY_AFTER_S, RelayedFailure
from steadyhand.gateway.exchange import Exchange
from steadyhand.providers.base import Failure


async def answer(exchange: Exchange) -> Exchange:
    """Give the best answer that fits the deadline.

    Raises:
        RelayedFailure: The provider finds the request itself at fault, or refused it in a way the
            caller can act on, and the floor does not answer.
        NoAnswer: No rung spoke in time and the floor is ``error``, or may not answer this kind.
        RecordsUnavailable: Durability is ``strict``, and the answer's record is not on disk.
    """
    climb = Climb(exchange)
    try:
        voice = await climb.decide()
        if isinstance(voice, Run):
            credit(exchange, voice, climb.why(voice))
            if await relay(exchange, voice) == "ok":
                climb.offer(voice)
                sampled.take(exchange, voice)
        elif isinstance(voice, Stored):
            await replay(exchange, voice)
        else:
            await speak(exchange, floor(exchange, voice.failure))
    except CancelledError as cancelled:
        climb.leave(why_left(cancelled))
        raise
    finally:
        climb.close()
    return exchange


def credit(exchange: Exchange, run: Run, reason: str) -> None:
    """Note in the trail which rung speaks, and why it and not the one before."""
    trail = exchange.trail
    trail.outcome, trail.reason = "answered", reason
    trail.rung = "live"
    trail.provider, trail.model, _ = run.deployment.id


async def relay(exchange: Exchange, run: Run) -> str:
    """Send what a live rung says, to its end; return how it ended.

    Raises:
        RecordsUnavailable: It may not be sent, because its record is not on disk.
    """
    found = run.found
    try:
        if isinstance(found, WholeAnswer):
            ended = await send.whole(exchange, found, run)
        else:
            ended = await send.stream(exchange, cast("BegunStream", found), run)
    except RecordsUnavailable:  # not the provider's fault
        run.spoke("ok")
        raise
    except CancelledError as cancelled:  # a client may leave with the last byte
        run.spoke("ok" if exchange.trail.ended_s else why_left(cancelled))
        raise
    run.spoke(ended)
    return ended


async def replay(exchange: Exchange, stored: Stored) -> None:
    """Send what a stored rung has.

    Raises:
        RecordsUnavailable: It may not be sent, because its record is not on disk.
    """
    found, trail = stored.answer, exchange.trail
    trail.outcome, trail.reason, trail.rung = "answered", stored.reason, stored.kind
    trail.provider, _, trail.model = found.deployment.partition("/")
    trail.age_ms, trail.confidence, trail.source = found.age_ms, found.confidence, found.source
    body = send.text_body(
        exchange,
        found.content,
        model=found.model,
        finish_reason=found.finish_reason,
        usage=found.usage,
    )
    await send.text(exchange, body)


async def speak(exchange: Exchange, text: str) -> None:
    """Send what no model wrote.

    Raises:
        RecordsUnavailable: It may not be sent, because its record is not on disk.
    """
    await send.text(exchange, send.text_body(exchange, text))


def floor(exchange: Exchange, failure: Failure) -> str:
    """Return what the floor says: never late and never in the wrong shape.

    Raises:
        RelayedFailure: The floor does not answer and the provider said something to act on.
        NoAnswer: The floor does not answer.
    """
    rung = exchange.answering_ladder().floor
    text = rung.speak(exchange.modality, requested_schema(exchange))
    trail = exchange.trail
    trail.reason = failure.reason
    trail.rung = rung.kind if text is not None else "error"
    if text is not None:
        trail.outcome = "floor"
        return text
    if failure.status in RELAYED:
        raise RelayedFailure(failure)
    raise NoAnswer(
        f"no model gave an answer in the time there was (last: {failure.reason})",
        hint=f"see 'steadyhand requests explain {exchange.request_id}'",
        retry_after_s=failure.retry_after_s or RETRY_AFTER_S,
    )


def requested_schema(exchange: Exchange) -> bytes | None:
    """Return the JSON schema the client asks for, as it wrote it."""
    wanted = exchange.chat.response_format
    if wanted is None or wanted.json_schema is None:
        return None
    schema = wanted.json_schema.schema
    return bytes(schema) if is_given(schema) else None
