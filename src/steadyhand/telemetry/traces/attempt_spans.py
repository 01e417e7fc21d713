"""Spans of the attempts of one request: each says why it was made and how it ended. Pure."""

from collections.abc import Iterator, Sequence

from steadyhand.core import trace_context
from steadyhand.records.prices import spent_on
from steadyhand.records.record import Attempt, Record, tried
from steadyhand.telemetry.traces import attributes as names
from steadyhand.telemetry.traces.known import Known
from steadyhand.telemetry.traces.span import Span, Value

_NOBODYS_FAULT = frozenset(
    {"ok", "hedge_lost", "overtaken", "gave_up", "harvested", "client_gone", "shutdown"}
)
"""Ends of attempts that are no failure of the deployment's that was asked."""
_OWN_REASON = {"first": "first_choice"}


def attempt_spans(record: Record, root: Span, known: Known) -> Iterator[Span]:
    """Yield a span for each deployment that was asked, below ``root``."""
    attempts = [each for each in tried(record) if each.provider]
    speaker = speaking(record, attempts)
    for attempt in sorted(attempts, key=lambda each: each.started_us):
        speaks = attempt is speaker
        yield Span(
            name=f"{names.CHAT} {attempt.model}",
            kind="client",
            trace_id=root.trace_id,
            span_id=trace_context.attempt_span_id(
                record.request_id,
                attempt.provider,
                attempt.model,
                attempt.region,
                attempt.started_us,
            ),
            parent_id=root.span_id,
            started_us=record.received_us + attempt.started_us,
            ended_us=record.received_us + max(attempt.started_us, attempt.ended_us),
            attributes=_attributes(record, attempt, known, speaks=speaks),
            failure="" if attempt.reason in _NOBODYS_FAULT else attempt.reason,
            is_sampled=root.is_sampled,
        )


def speaking(record: Record, attempts: Sequence[Attempt]) -> Attempt | None:
    """Return the attempt whose answer the client has, or the part of one that it got."""
    if record.rung != "live":
        return None
    whom = (record.provider, record.model)
    said = [each for each in attempts if (each.provider, each.model) == whom]
    good = [each for each in said if each.reason == "ok"]
    return next(reversed(good or said), None)


def began_because(attempt: Attempt, attempts: Sequence[Attempt]) -> str:
    """Return why an attempt was made: its role, or what the one before it came to."""
    if attempt.role != "fallback":
        return _OWN_REASON.get(attempt.role, attempt.role) or "first_choice"
    before = [one for one in attempts if one is not attempt and one.started_us < attempt.started_us]
    over = [one for one in before if one.ended_us <= attempt.started_us]
    if over:
        return max(over, key=lambda one: one.ended_us).reason
    return "gave_up" if before else "planned_around"  # it goes on, and nobody waits for it


def _attributes(
    record: Record, attempt: Attempt, known: Known, *, speaks: bool
) -> dict[str, Value]:
    found: dict[str, Value] = {
        names.OPERATION: names.CHAT,
        names.PROVIDER: known.providers.get(attempt.provider)
        or names.provider_name(attempt.provider),
        names.REQUEST_MODEL: attempt.model,
        names.RUNG: attempt.rung,
        names.DEPLOYMENT: f"{attempt.provider}/{attempt.model}",
        names.ROLE: attempt.role or "first",
        names.BEGAN_BECAUSE: began_because(attempt, record.attempts),
        names.ENDED_BECAUSE: attempt.reason,
        names.SPEAKS: speaks,
    }
    if record.stream:
        found[names.REQUEST_STREAM] = True
    if attempt.region:
        found[names.REGION] = attempt.region
    if attempt.status:
        found[names.STATUS] = attempt.status
    if attempt.reason not in _NOBODYS_FAULT:
        found[names.ERROR_TYPE] = attempt.reason
    if record.budget_us:
        found[names.LEFT_MS] = (record.budget_us - attempt.started_us) / 1_000
    if speaks:
        found |= spoken(record) | _counted(record)
    return found | _paid(record, attempt, known, speaks=speaks)


def spoken(record: Record) -> dict[str, Value]:
    """Return what is known of the answer that a live rung gave."""
    found: dict[str, Value] = {}
    if record.served_model:
        found[names.RESPONSE_MODEL] = record.served_model
    if record.finish_reason:
        found[names.FINISH_REASONS] = (record.finish_reason,)
    if record.stream and record.first_content_us:
        found[names.FIRST_CHUNK_S] = record.first_content_us / 1_000_000
    return found


def _counted(record: Record) -> dict[str, Value]:
    counts = {
        names.INPUT_TOKENS: record.input_tokens,
        names.OUTPUT_TOKENS: record.output_tokens,
        names.CACHED_TOKENS: record.cached_tokens,
        names.REASONING_TOKENS: record.reasoning_tokens,
    }
    return {name: count for name, count in counts.items() if count}


def _paid(record: Record, attempt: Attempt, known: Known, *, speaks: bool) -> dict[str, Value]:
    found: dict[str, Value] = {}
    if attempt.usage:
        found[names.COUNTING] = attempt.usage
        found[names.INPUT_TOKENS] = attempt.input_tokens
        found[names.OUTPUT_TOKENS] = attempt.output_tokens
    usd = spent_on(attempt, record if speaks else None, known.prices)
    if usd is not None:
        found[names.COST_USD] = usd
    return found
