"""The span that says how an answer was judged, below that of the answer. Pure.

The convention has it as an event ``gen_ai.evaluation.result`` of the judged span. That span was
sent long before, so it is a span of its own, of no length, with the event's name and attributes; a
receiver needs no second signal for it. It stands at the end of the answer, and an attribute says
when it was judged: viewers take a trace to last until its last span, and feedback may take days.
"""

from typing import NamedTuple

from steadyhand.core import trace_context
from steadyhand.records.annotation import (
    FEEDBACK,
    GROUNDING,
    Annotation,
    Feedback,
    Grounding,
    body_of,
)
from steadyhand.records.record import Record, parent_of, trace_id
from steadyhand.telemetry.traces import attributes as names
from steadyhand.telemetry.traces.span import Span, Value

_SCORES = {"up": 1.0, "down": 0.0}


class Evaluation(NamedTuple):
    """What somebody or something found of an answer.

    Attributes:
        name: What was judged: ``user_feedback.thumbs``, ``grounding`` ...
        judged_us: When, microseconds since 1970.
        key: Tells it from others of the same name and request; the same again is the same span.
        score: A number; ``None`` for none.
        label: A word: ``pass``, ``fail`` ...; or empty.
        explanation: Why, in words, which may be those of the answer or of a caller; or empty.
        by: Name and version of what judged; empty for people.
        reason: Our own word for why it was not measured; or empty.
        probability: With which the answer was drawn to be judged; 0 where nothing was drawn.
    """

    name: str
    judged_us: int
    key: str = ""
    score: float | None = None
    label: str = ""
    explanation: str = ""
    by: str = ""
    reason: str = ""
    probability: float = 0.0


def evaluation_span(evaluation: Evaluation, record: Record, *, content: bool) -> Span:
    """Return an evaluation as a span below that of the request it judges.

    ``content`` says whether its explanation may be told.
    """
    parent = parent_of(record)
    told: dict[str, Value] = {
        names.EVALUATION_NAME: evaluation.name,
        names.JUDGED_S: evaluation.judged_us / 1_000_000,
        names.REQUEST_ID: record.request_id,
        names.ROUTE: record.route,
        names.RELEASE: record.route_release or record.release,
    }
    if evaluation.score is not None:
        told[names.EVALUATION_SCORE] = evaluation.score
    if evaluation.label:
        told[names.EVALUATION_LABEL] = evaluation.label
    if content and evaluation.explanation:
        told[names.EVALUATION_EXPLANATION] = evaluation.explanation
    if evaluation.by:
        told[names.JUDGED_BY] = evaluation.by
    if evaluation.reason:
        told[names.UNMEASURED] = evaluation.reason
    if evaluation.probability:
        told[names.DRAWN_WITH] = evaluation.probability
    ended_us = record.received_us + record.total_us
    part = f"evaluation\0{evaluation.name}\0{evaluation.key}"
    return Span(
        name=names.EVALUATION,
        kind="internal",
        trace_id=trace_id(record),
        span_id=trace_context.part_span_id(record.request_id, part),
        parent_id=trace_context.request_span_id(record.request_id),
        started_us=ended_us,
        ended_us=ended_us,
        attributes=told,
        is_sampled=parent is None or parent.is_sampled,
    )


def judges(note: Annotation) -> bool:
    """Whether an annotation may say how an answer was."""
    return note.kind in (FEEDBACK, GROUNDING)


def evaluations_of(note: Annotation, record: Record) -> list[Evaluation]:
    """Return what an annotation says of the answer that ``record`` is about.

    Nothing if it says something else, or is of another tenant.
    """
    body = body_of(note)
    if isinstance(body, Feedback) and body.tenant == record.tenant:
        return _of_feedback(body, note.made_us)
    if isinstance(body, Grounding) and body.tenant == record.tenant:
        return [_of_grounding(body, note.made_us)]
    return []


def _of_feedback(body: Feedback, made_us: int) -> list[Evaluation]:
    found = []
    if body.thumbs:
        found.append(("thumbs", _SCORES.get(body.thumbs), body.thumbs))
    if body.rating:
        found.append(("rating", float(body.rating), ""))
    if body.escalated is not None:
        found.append(("escalated", None, "escalated" if body.escalated else "not_escalated"))
    if body.task_completed is not None:
        label = "task_completed" if body.task_completed else "task_failed"
        found.append(("task", float(body.task_completed), label))
    if body.correction:
        found.append(("correction", None, "corrected"))
    return [
        Evaluation(
            name=f"user_feedback.{what}",
            judged_us=made_us,
            key=f"{body.key}\0{body.id}",
            score=score,
            label=label,
            explanation=body.correction if what == "correction" else "",
        )
        for what, score, label in found
    ]


def _of_grounding(body: Grounding, made_us: int) -> Evaluation:
    return Evaluation(
        name=GROUNDING,
        judged_us=made_us,
        score=body.score if body.score >= 0 else None,
        label=body.verdict,
        by=body.by,
        reason=body.reason,
        probability=body.probability,
    )
