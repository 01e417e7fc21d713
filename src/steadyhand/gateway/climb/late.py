"""What becomes of good answers: offered to stored rungs, also those that come too late."""

import asyncio
from collections.abc import Sequence
from time import time

from steadyhand.gateway.attempt import AttemptFailed, BegunStream
from steadyhand.gateway.climb.keepable import good_stream, good_whole
from steadyhand.gateway.climb.run import Found, Run
from steadyhand.gateway.exchange import Exchange
from steadyhand.http.failures import UpstreamError
from steadyhand.records.annotation import LateUsage, annotation
from steadyhand.routing.rungs.base import GoodAnswer, Question, StoredRung


def offer(
    run: Run, question: Question, keepers: Sequence[StoredRung], *, is_late: bool = False
) -> bool:
    """Offer what ``run`` has found, whole, to stored rungs; return whether it was one to keep."""
    good = _good(run, is_late=is_late)
    if good is None:
        return False
    for keeper in keepers:
        keeper.keep(question, good)
    return True


async def harvest(
    exchange: Exchange,
    run: Run,
    task: asyncio.Task[Found] | None,
    question: Question,
    keepers: Sequence[StoredRung],
) -> str:
    """Bring an answer to its end that nobody waits for; return what became of it.

    Args:
        exchange: The request, which has another answer already.
        run: The attempt.
        task: What listens to it; ``None`` if it is still to be asked, or has begun to speak.
        question: The request as stored rungs see it.
        keepers: Who is offered the answer.
    """
    serving, limits = exchange.serving, exchange.gear.harvest.limits
    serving.users += 1  # its providers stay open
    reason = "total_timeout"
    try:
        if run.found is None:
            await (task or run.listen(run.began_s + limits.max_s))
        reason = await _read_on(run, limits.max_bytes)
        if reason != "ok":
            return reason
        return "kept" if offer(run, question, keepers, is_late=True) else "not_kept"
    except AttemptFailed as error:
        reason = error.failure.reason
        return "capped" if reason == "gave_up" else "failed"
    finally:
        serving.users -= 1
        run.harvested(reason)
        _annotate(exchange, run)


async def _read_on(run: Run, max_bytes: int) -> str:
    """Read a stream to its end; return ``ok``, ``capped`` or ``failed``."""
    begun = run.found
    if not isinstance(begun, BegunStream):
        return "ok"
    size = len(begun.held)
    try:
        while not begun.stream.is_over:
            data = await begun.reply.read()
            begun.stream.feed(data)
            size += len(data)
            if size > max_bytes:
                return "capped"
            if not data:
                break
    except UpstreamError:
        return "failed"
    return "ok" if begun.stream.is_whole else "failed"


def _good(run: Run, *, is_late: bool) -> GoodAnswer | None:
    deployment = "/".join(run.deployment.id[:2])
    if isinstance(run.found, BegunStream):
        return good_stream(run.found.stream, deployment, is_late=is_late)
    return good_whole(run.found.body, deployment, is_late=is_late) if run.found else None


def _annotate(exchange: Exchange, run: Run) -> None:
    """Say what it has cost, beside the record, which is written already."""
    annotate = exchange.gear.annotate
    if annotate is None:
        return
    spent = run.spent()
    provider, model, region = run.deployment.id
    body = LateUsage(
        exchange.key.tenant,
        exchange.answering_ladder().route,
        provider,
        model,
        "harvest",
        spent.input_tokens,
        spent.output_tokens,
        "reported" if spent.counting == "reported" else "estimated",
        region,
    )
    annotate(annotation(exchange.request_id, int(time() * 1e6), body))
