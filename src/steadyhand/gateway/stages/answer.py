"""Walk the ladder under the deadline: live rungs in order, then the floor."""

from asyncio import CancelledError
from time import monotonic

from steadyhand.core.chat import is_given
from steadyhand.core.errors import NoAnswer, RecordsUnavailable
from steadyhand.gateway import attempt, send
from steadyhand.gateway.errors import RELAYED, RETRY_AFTER_S, RelayedFailure
from steadyhand.gateway.exchange import Exchange
from steadyhand.gateway.recording import attempt_of
from steadyhand.http.messages import CUT, is_cut
from steadyhand.providers.base import Failure
from steadyhand.routing.plan import give_up_at
from steadyhand.routing.rungs.base import Deployment


async def answer(exchange: Exchange) -> Exchange:
    """Give the best answer that fits the deadline.

    Raises:
        RelayedFailure: The provider finds the request itself at fault, or refused it in a way the
            caller can act on, and the floor does not answer.
        NoAnswer: No rung spoke in time and the floor is ``error``, or may not answer this kind.
        RecordsUnavailable: Durability is ``strict``, and the answer's record is not on disk.
    """
    ladder = exchange.answering_ladder()
    failure = Failure("no_rung")
    candidates = ladder.candidates(0.0, "")
    left = len(candidates)
    for rung in candidates:
        began_s = monotonic()
        until_s = give_up_at(began_s, exchange.deadline_s, left, rung.give_up_ms)
        left -= 1
        if until_s <= began_s:
            failure = Failure("no_time")
            note(exchange, rung, began_s, failure)
            continue
        try:
            await ask(exchange, rung, began_s, until_s, failure)
        except attempt.AttemptFailed as error:
            failure = error.failure
            note(exchange, rung, began_s, failure)
            if failure.callers_own:
                exchange.trail.outcome = "rejected"
                exchange.trail.reason = failure.reason
                raise RelayedFailure(failure) from error
        except CancelledError as cancelled:
            trail = exchange.trail
            ended = CUT if is_cut(cancelled) else "client_gone"
            if trail.ended_s:  # a client may leave with the last byte
                ended = "ok"
            note(exchange, rung, began_s, Failure(ended, status=trail.status))
            raise
        else:
            return exchange
    await speak(exchange, floor(exchange, failure))
    return exchange


async def ask(
    exchange: Exchange, rung: Deployment, began_s: float, until_s: float, before: Failure
) -> None:
    """Let one live rung answer, and send what it says.

    Raises:
        AttemptFailed: It said nothing that may be sent.
        RecordsUnavailable: It may not be sent, because its record is not on disk.
    """
    try:
        if exchange.stream:
            begun = await attempt.begin_stream(exchange, rung, until_s)
            credit(exchange, rung, before)
            ended = await send.stream(exchange, begun, began_s)
        else:
            found = await attempt.whole(exchange, rung, until_s)
            credit(exchange, rung, before)
            send.learn_whole(exchange, found)
            if exchange.ledger is not None:
                spoke = attempt_of(exchange, rung, began_s, 200, "ok")
                await exchange.ledger.conclude(exchange, len(found.body), spoke)
            ended = send.whole(exchange, found)
    except RecordsUnavailable:  # not the provider's fault
        note(exchange, rung, began_s, Failure("ok", status=200))
        raise
    note(exchange, rung, began_s, Failure(ended, status=200))


def credit(exchange: Exchange, rung: Deployment, before: Failure) -> None:
    """Note in the trail which rung speaks, and why it and not the one before."""
    trail = exchange.trail
    trail.outcome = "answered"
    trail.rung, trail.provider, trail.model = "live", rung.id.provider, rung.id.model
    trail.reason = before.reason if trail.attempts else "first_choice"


def note(exchange: Exchange, rung: Deployment, began_s: float, failure: Failure) -> None:
    """Add an attempt to the trail."""
    exchange.trail.attempts.append(
        attempt_of(exchange, rung, began_s, failure.status or 0, failure.reason)
    )


async def speak(exchange: Exchange, text: str) -> None:
    """Send what no model wrote.

    Raises:
        RecordsUnavailable: It may not be sent, because its record is not on disk.
    """
    body = send.text_body(exchange, text)
    if exchange.ledger is not None:
        await exchange.ledger.conclude(exchange, len(body))
    send.text(exchange, body)


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
