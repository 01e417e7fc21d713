"""Make the one record of a request from what its exchange and trail say."""

from math import inf
from time import monotonic, time
from typing import NamedTuple

from steadyhand.gateway.exchange import Exchange
from steadyhand.records.record import Attempt, Record
from steadyhand.routing.model import DeploymentId

MAX_MODEL_CHARACTERS = 200
CLIENT_GONE = 499


class Spent(NamedTuple):
    """Tokens of one attempt.

    Attributes:
        input_tokens: Of the prompt.
        output_tokens: Of what came back.
        counting: ``reported`` by the provider, ``estimated`` by us, empty where there are none.
    """

    input_tokens: int
    output_tokens: int
    counting: str


NOTHING = Spent(0, 0, "")


def record_of(exchange: Exchange, wire: str, process: int) -> Record:
    """Return the record; called once, when nothing more can happen to the request."""
    trail, request, parent = exchange.trail, exchange.request, exchange.parent
    origin_s = request.received_s
    now_s = monotonic()
    ended_s = trail.ended_s or now_s
    first_s = trail.first_content_s
    ladder = exchange.ladder
    budget_s = exchange.deadline_s - origin_s
    judged_s = first_s if exchange.stream and first_s else ended_s
    usage = trail.usage
    wanted = exchange.chat.response_format
    prompt = completion = None
    if usage is not None:
        prompt, completion = usage.prompt_tokens_details, usage.completion_tokens_details
    return Record(
        exchange.request_id,
        exchange.client_request_id,
        int((time() - (now_s - origin_s)) * 1e6),
        exchange.key.tenant,
        exchange.key.name,
        exchange.key.channel,
        ladder.route if ladder is not None else "",
        wire,
        exchange.chat.model[:MAX_MODEL_CHARACTERS],
        exchange.stream,
        ladder.slo.name if ladder is not None else "",
        0 if budget_s == inf else round(budget_s * 1e6),
        judged_s <= exchange.deadline_s,
        trail.status,
        trail.outcome,
        trail.reason,
        trail.rung,
        trail.provider,
        trail.model,
        trail.served_model,
        exchange.serving.release,
        tuple(trail.attempts),
        int((first_s - origin_s) * 1e6) if first_s else 0,
        int((ended_s - origin_s) * 1e6),
        (usage.prompt_tokens or 0) if usage is not None else 0,
        (usage.completion_tokens or 0) if usage is not None else 0,
        (prompt.cached_tokens or 0) if prompt is not None else 0,
        (completion.reasoning_tokens or 0) if completion is not None else 0,
        trail.finish_reason,
        bool(exchange.chat.tools or exchange.chat.functions),
        wanted is not None and wanted.type == "json_schema",
        len(request.body),
        exchange.reply.bytes_sent,
        process,
        trail.entry,
        b"" if trail.decision is None else trail.decision(),
        trail.source,
        trail.age_ms,
        trail.confidence,
        ladder.digest if ladder is not None else "",
        exchange.assigned.arm,
        exchange.assigned.salt,
        exchange.assigned.unit,
        *exchange.assigned.slices,
        exchange.assigned.part,
        "" if parent is None else parent.text,
    )


def since_us(exchange: Exchange, moment_s: float) -> int:
    """Return a moment as records have it: microseconds after the request's last byte."""
    return int((moment_s - exchange.request.received_s) * 1e6)


def attempt_of(
    exchange: Exchange,
    deployment: DeploymentId,
    began_s: float,
    status: int,
    reason: str,
    role: str = "",
    spent: Spent = NOTHING,
) -> Attempt:
    """Return what is kept of a try of ``deployment`` that has just ended.

    ``spent`` is what it has cost, if that is not what the answer has.
    """
    ended_s = exchange.trail.ended_s or monotonic()
    return Attempt(
        "live",
        deployment.provider,
        deployment.model,
        since_us(exchange, began_s),
        since_us(exchange, ended_s),
        status,
        reason,
        deployment.region,
        role,
        *spent,
    )
