"""Makes the spans of one request of its record: the request, and below it all that was asked. Pure.

The same record makes the same spans with the same ids, however often: a receiver that gets one
twice can tell. Nothing is in a span that is not in the record, and a record has no words of anyone.
"""

from collections.abc import Iterator, Mapping

from steadyhand.core import trace_context
from steadyhand.records.prices import spent, unpriced
from steadyhand.records.record import DRILL, Record, parent_of, trace_id
from steadyhand.telemetry.traces import attributes as names
from steadyhand.telemetry.traces.attempt_spans import attempt_spans, spoken
from steadyhand.telemetry.traces.known import Known, Steps
from steadyhand.telemetry.traces.span import Span, SpanEvent, Value

FAILED = frozenset({"failed", "truncated", "interrupted"})
"""Outcomes that are a failure of ours; what a caller did wrong or left is none."""

_FLOOR = -1
_ENDS = frozenset({"ready", "empty", "failed", "gave_up"})
_EVENTS = {
    "hedged": names.HEDGED,
    "no_hedge": names.NOT_HEDGED,
    "gave_up": names.GAVE_UP,
    "spoke": names.SPOKE,
}


def spans_of(record: Record, known: Known) -> list[Span]:
    """Return the spans of a request, that of the whole request first."""
    steps = known.steps(record.decision) if record.decision else ()
    root = _root(record, known, steps)
    found = [root, *attempt_spans(record, root, known), *_stored_spans(record, root, steps)]
    floor = _floor_span(record, root, steps)
    return found if floor is None else [*found, floor]


def is_failure(record: Record) -> bool:
    """Whether the request was not answered whole, and the caller is not to blame."""
    return record.outcome in FAILED


def _root(record: Record, known: Known, steps: Steps) -> Span:
    parent = parent_of(record)
    return Span(
        name=f"{names.CHAT} {record.route}" if record.route else names.CHAT,
        kind="internal" if record.wire == DRILL else "server",
        trace_id=trace_id(record),
        span_id=trace_context.request_span_id(record.request_id),
        parent_id=parent.span_id if parent is not None else "",
        started_us=record.received_us,
        ended_us=record.received_us + record.total_us,
        attributes=_attributes(record, known),
        events=tuple(_events(record, steps)),
        failure=record.reason if is_failure(record) else "",
        is_remote_parent=parent is not None,
        is_sampled=parent is None or parent.is_sampled,
    )


def _attributes(record: Record, known: Known) -> Mapping[str, Value]:
    found: dict[str, Value] = {
        names.OPERATION: names.CHAT,
        names.REQUEST_ID: record.request_id,
        names.OUTCOME: record.outcome,
        names.REASON: record.reason,
        names.SNAPSHOT: record.release,
        names.RELEASE: record.route_release or record.release,
        names.IN_TIME: record.in_time,
        names.IS_FLOOR: record.outcome == "floor",
        names.PROCESS: record.process,
    }
    if record.wire == DRILL:
        found[names.IS_DRILL] = True
    else:
        found |= {names.METHOD: "POST", names.PATH: "/v1/chat/completions", names.SCHEME: "http"}
        found |= {names.REQUEST_BYTES: record.request_bytes, names.STATUS: record.status}
        found[names.RESPONSE_BYTES] = record.response_bytes
    texts = {
        names.TENANT: record.tenant,
        names.KEY: record.key,
        names.CHANNEL: record.channel,
        names.ROUTE: record.route,
        names.REQUEST_MODEL: record.requested_model,
        names.SLO: record.slo,
        names.RUNG: record.rung,
        names.ARM: record.arm,
        names.ROLLOUT: record.rollout,
        names.SOURCE: record.source,
    }
    found |= {name: text for name, text in texts.items() if text}
    if record.stream:
        found[names.REQUEST_STREAM] = True
    if record.has_schema:
        found[names.OUTPUT_TYPE] = "json"
    if record.budget_us:
        found[names.BUDGET_MS] = record.budget_us / 1_000
    if record.rollout:
        found[names.CANDIDATE_SHARE] = record.candidate_bp / 10_000
    if record.outcome not in {"answered", "floor"}:
        found[names.ERROR_TYPE] = record.reason
    return found | _answer(record, known)


def _answer(record: Record, known: Known) -> dict[str, Value]:
    """Return what is known of the answer, who gave it, with which prompt, and what it cost."""
    found: dict[str, Value] = {}
    attempts = record.attempts
    if record.rung == "live":
        provider = record.provider
        found[names.PROVIDER] = known.providers.get(provider) or names.provider_name(provider)
        found[names.DEPLOYMENT] = f"{provider}/{record.model}"
        found |= spoken(record)
    tokens = {
        names.ALL_INPUT_TOKENS: record.input_tokens + sum(one.input_tokens for one in attempts),
        names.ALL_OUTPUT_TOKENS: record.output_tokens + sum(one.output_tokens for one in attempts),
    }
    if record.rung == "live" or any(one.usage for one in attempts):
        found |= tokens
    if record.age_ms >= 0:
        found[names.AGE_MS] = record.age_ms
    if record.confidence >= 0:
        found[names.CONFIDENCE] = record.confidence
    prompt = known.prompt(record)
    if prompt is not None:
        found |= {names.PROMPT_NAME: prompt.name, names.PROMPT_VERSION: prompt.version}
    paid = spent(record, known.prices)
    if paid:
        found[names.ALL_COST_USD] = sum(one.usd for one in paid)
    if known.prices:
        found[names.COST_IS_WHOLE] = not unpriced(record, known.prices)
    return found


def _events(record: Record, steps: Steps) -> Iterator[SpanEvent]:
    """Yield what happened on the way, in order: what the planner knew, then who was left out."""
    found = [*_switches(record, steps)]
    for at_us, kind, detail, rung, provider, model, _ in steps:
        if kind in _EVENTS:
            told: dict[str, Value] = {names.RUNG: rung or record.rung}
            if provider:
                told[names.DEPLOYMENT] = f"{provider}/{model}"
            if detail:
                told[names.REASON] = detail
            found.append(SpanEvent(_EVENTS[kind], record.received_us + at_us, told))
    for attempt in record.attempts:
        if record.decision and attempt.provider and not attempt.role:
            around: dict[str, Value] = {
                names.RUNG: attempt.rung,
                names.DEPLOYMENT: f"{attempt.provider}/{attempt.model}",
                names.REASON: attempt.reason,
            }
            at_us = record.received_us + attempt.started_us
            found.append(SpanEvent(names.PLANNED_AROUND, at_us, around))
    yield from sorted(found, key=lambda event: event.at_us)


def _switches(record: Record, steps: Steps) -> Iterator[SpanEvent]:
    """Yield a switch for each candidate that was asked in the place of the one before."""
    before, reason = "", ""
    for at_us, kind, detail, rung, provider, model, place in steps:
        who = f"{provider}/{model}" if provider else rung
        if kind in {"failed", "gave_up", "empty"}:
            reason = detail or kind
        if kind == "started" or (kind == "spoke" and place == _FLOOR):
            who = who or record.rung
            if before and reason:
                told = {names.FROM: before, names.TO: who, names.REASON: reason}
                yield SpanEvent(names.SWITCHED, record.received_us + at_us, told)
            before, reason = who, ""


def _stored_spans(record: Record, root: Span, steps: Steps) -> Iterator[Span]:
    """Yield a span for each stored rung that was looked into."""
    began: dict[int, int] = {}
    done: set[int] = set()
    for at_us, kind, detail, rung, provider, _, place in steps:
        if provider or place == _FLOOR:
            continue
        if kind == "started":
            began[place] = at_us
        elif kind in _ENDS and place not in done:
            done.add(place)
            told: dict[str, Value] = {
                names.RUNG: rung,
                names.ENDED_BECAUSE: detail or kind,
                names.SPEAKS: record.rung == rung,
            }
            yield _inside(record, root, f"rung {rung}", f"{rung}\0{place}", told)._replace(
                started_us=record.received_us + began.get(place, 0),
                ended_us=record.received_us + at_us,
            )


def _floor_span(record: Record, root: Span, steps: Steps) -> Span | None:
    """Return the span of the floor, if it came to it."""
    if record.outcome != "floor" and record.rung != "error":
        return None
    at_us = [step[0] for step in steps if step[1] == "spoke" and step[-1] == _FLOOR]
    told: dict[str, Value] = {
        names.RUNG: record.rung,
        names.IS_FLOOR: True,
        names.BEGAN_BECAUSE: record.reason,
        names.SPEAKS: True,
    }
    began_us = min(at_us[0] if at_us else record.first_content_us, record.total_us)
    return _inside(record, root, f"floor {record.rung}", "floor", told)._replace(
        started_us=record.received_us + began_us, ended_us=root.ended_us
    )


def _inside(
    record: Record, root: Span, name: str, part: str, attributes: Mapping[str, Value]
) -> Span:
    return Span(
        name=name,
        kind="internal",
        trace_id=root.trace_id,
        span_id=trace_context.part_span_id(record.request_id, part),
        parent_id=root.span_id,
        started_us=root.started_us,
        ended_us=root.ended_us,
        attributes=attributes,
        is_sampled=root.is_sampled,
    )
