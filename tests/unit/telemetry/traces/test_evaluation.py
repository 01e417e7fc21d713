"""How an answer was judged, as a span below it."""

import pytest

from steadyhand.core import trace_context
from steadyhand.records.annotation import Feedback, Grounding, annotation
from steadyhand.telemetry.traces import attributes as names
from steadyhand.telemetry.traces.evaluation import (
    Evaluation,
    evaluation_span,
    evaluations_of,
    judges,
)
from tests.support.records import USAGE, record

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
MADE = record(1)


def said(**what: object) -> Feedback:
    return Feedback("team-a", "ci", "one", **what)  # type: ignore[arg-type]


def test_a_judgement_is_a_span_below_the_answer() -> None:
    found = Evaluation("grounding", 1_000, "7", 0.25, "fail", "the second claim has no source")
    span = evaluation_span(found, MADE, content=True)
    assert span.name == "gen_ai.evaluation.result"
    assert span.parent_id == trace_context.request_span_id(MADE.request_id)
    assert span.trace_id == trace_context.own_trace_id(MADE.request_id)
    ended_us = MADE.received_us + MADE.total_us
    assert (span.started_us, span.ended_us) == (ended_us, ended_us), "no trace lasts for days"
    assert span.attributes == {
        "gen_ai.evaluation.name": "grounding",
        "gen_ai.evaluation.score.value": 0.25,
        "gen_ai.evaluation.score.label": "fail",
        "gen_ai.evaluation.explanation": "the second claim has no source",
        names.REQUEST_ID: MADE.request_id,
        names.JUDGED_S: 0.001,
        names.ROUTE: "support",
        names.RELEASE: MADE.release,
    }


def test_words_are_told_only_where_that_is_wished_for() -> None:
    found = Evaluation("grounding", 1_000, explanation="words of a caller")
    span = evaluation_span(found, MADE, content=False)
    assert "words of a caller" not in str(span)
    assert names.EVALUATION_SCORE not in span.attributes
    assert names.EVALUATION_LABEL not in span.attributes


def test_a_judgement_joins_the_clients_trace() -> None:
    made = record(1, traceparent=f"00-{TRACE}-{SPAN}-00")
    span = evaluation_span(Evaluation("grounding", 1), made, content=False)
    assert (span.trace_id, span.is_sampled) == (TRACE, False)
    assert span.parent_id == trace_context.request_span_id(made.request_id)


def test_two_judgements_are_two_spans_and_one_said_again_is_one() -> None:
    ids = {
        evaluation_span(Evaluation(name, at_us, key), MADE, content=False).span_id
        for name in ("grounding", "tone")
        for key in ("1", "2")
        for at_us in (5, 6)
    }
    assert len(ids) == 4


@pytest.mark.parametrize(
    ("feedback", "expected"),
    [
        (said(thumbs="up"), [("thumbs", 1.0, "up")]),
        (said(thumbs="down", rating=2), [("thumbs", 0.0, "down"), ("rating", 2.0, "")]),
        (said(escalated=True), [("escalated", None, "escalated")]),
        (said(escalated=False), [("escalated", None, "not_escalated")]),
        (said(task_completed=True), [("task", 1.0, "task_completed")]),
        (said(task_completed=False), [("task", 0.0, "task_failed")]),
        (said(correction="so"), [("correction", None, "corrected")]),
        (said(), []),
    ],
)
def test_feedback_is_a_judgement(
    feedback: Feedback, expected: list[tuple[str, float | None, str]]
) -> None:
    note = annotation(MADE.request_id, 5, feedback)
    assert judges(note)
    found = evaluations_of(note, MADE)
    assert [(one.name, one.score, one.label) for one in found] == [
        (f"user_feedback.{name}", score, label) for name, score, label in expected
    ]
    assert all(one.judged_us == 5 for one in found)
    assert [one.explanation for one in found if one.name.endswith("correction")] in ([], ["so"])


@pytest.mark.parametrize(
    ("score", "verdict", "reason"), [(0.1, "ungrounded", ""), (-1.0, "not_measured", "no_context")]
)
def test_a_verdict_on_grounding_is_a_judgement(score: float, verdict: str, reason: str) -> None:
    body = Grounding("team-a", "support", "", verdict, reason, 0.05, "overlap-1", 2, 1, score)
    note = annotation(MADE.request_id, 5, body)
    assert judges(note)
    [found] = evaluations_of(note, MADE)
    told = evaluation_span(found, MADE, content=False).attributes
    assert told[names.EVALUATION_NAME] == "grounding"
    assert told[names.EVALUATION_LABEL] == verdict
    assert told.get(names.EVALUATION_SCORE) == (score if score >= 0 else None)
    assert told.get(names.UNMEASURED, "") == reason
    assert (told[names.JUDGED_BY], told[names.DRAWN_WITH]) == ("overlap-1", 0.05)


def test_other_annotations_and_other_tenants_judge_nothing() -> None:
    late = annotation(MADE.request_id, 5, USAGE)
    assert not judges(late)
    assert evaluations_of(late, MADE) == []
    theirs = annotation(MADE.request_id, 5, Feedback("team-b", "ci", "one", thumbs="down"))
    assert evaluations_of(theirs, MADE) == []
    unmeasured = Grounding("team-b", "support", "", "grounded", "", 0.05, "overlap-1")
    assert evaluations_of(annotation(MADE.request_id, 5, unmeasured), MADE) == []
