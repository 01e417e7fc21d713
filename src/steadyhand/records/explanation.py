"""The ladder of one request as text: what was tried, when, how it ended, and what was sent.

The same text is shown by the command line and by the REST API, so that both tell one story.
"""

from collections.abc import Sequence
from typing import NamedTuple

from steadyhand.records.annotation import Annotation, Feedback, Grounding, body_of
from steadyhand.records.record import Attempt, Record

OK = "ok"
GOOD, BAD, AROUND = "✓", "✕", "○"
RELEASE_DIGITS = 12


class PassedOver(NamedTuple):
    """A rung that was not asked.

    Attributes:
        who: As attempts name it.
        why: In words.
    """

    who: str
    why: str


def explanation(
    record: Record, notes: Sequence[Annotation] = (), passed_over: Sequence[PassedOver] = ()
) -> str:
    """Tell how ``record`` was answered: a summary, a line for each attempt, what left. Pure.

    Times of attempts are milliseconds after the last byte of the request. Then come the rungs
    that were ``passed_over``, what was sent, and what its annotations, ``notes``, say.
    """
    around = [f"  {AROUND} {one.who}: planned around, {one.why}" for one in passed_over]
    later = [_later(note, record) for note in notes]
    tried = _attempts(record, {one.who for one in passed_over})
    return "\n".join([_summary(record), *tried, *around, _outcome(record), *later])


def _summary(record: Record) -> str:
    parts = [
        record.route or record.requested_model or "no route",
        record.release.removeprefix("sha256:")[:RELEASE_DIGITS],
        f"{record.outcome.replace('_', ' ')}{_took(record)} ms",
        record.reason if record.reason != OK else "",
        "" if record.in_time or not record.budget_us else "late",
    ]
    return " · ".join(part for part in parts if part)


def _took(record: Record) -> str:
    """Say how long it took, and of which budget: a stream's is that of its first content."""
    budget, total = _ms(record.budget_us), _ms(record.total_us)
    if not record.budget_us:
        return f" in {total}"
    if record.stream and record.first_content_us:
        return f", first content in {_ms(record.first_content_us)} of {budget} ms, all in {total}"
    return f" in {total} of {budget}"


def _attempts(record: Record, passed_over: set[str]) -> list[str]:
    rows = [
        (
            _ms(attempt.started_us),
            _ms(attempt.ended_us),
            GOOD if attempt.reason == OK else BAD,
            _who(attempt),
            _ending(attempt, record),
        )
        for attempt in record.attempts
        if attempt.role or _who(attempt) not in passed_over
    ]
    if not rows:
        return ["  no model was asked" if record.rung else "  nothing was tried"]
    start, end, _, who, _ = (max(map(len, column)) for column in zip(*rows, strict=True))
    return [
        f"  {row[0].rjust(start)}  {row[1].rjust(end)} ms  {row[2]} {row[3].ljust(who)}  {row[4]}"
        for row in rows
    ]


def _who(attempt: Attempt) -> str:
    return f"{attempt.provider}/{attempt.model}" if attempt.provider else attempt.rung


def _ending(attempt: Attempt, record: Record) -> str:
    status = f"status {attempt.status}" if attempt.status else ""
    if attempt.reason != OK:
        return ", ".join(part for part in (attempt.reason.replace("_", " "), status) if part)
    if attempt.provider != record.provider or attempt.model != record.model:
        return "ok"
    spoke = f"first content {_ms(record.first_content_us)} ms" if record.first_content_us else "ok"
    tokens = f"{record.output_tokens:,} tokens" if record.output_tokens else ""
    return ", ".join(part for part in (spoke, tokens) if part)


def _outcome(record: Record) -> str:
    by = f" by {record.rung}{_provenance(record)}" if record.rung else ""
    shape = "stream" if record.stream else "whole answer"
    ended = f", finish reason {record.finish_reason}" if record.finish_reason else ""
    release = f", {record.arm} release {record.route_release[7:23]}" if record.route_release else ""
    sent = f"{shape}, {record.response_bytes:,} bytes{ended}{release}"
    return f"  sent: status {record.status}{by}, {sent}"


def _provenance(record: Record) -> str:
    """Say what is known of an answer that was there before the question."""
    said = [
        f"{_ms(record.age_ms * 1000)} ms old" if record.age_ms >= 0 else "",
        f"confidence {record.confidence:.2f}" if record.confidence >= 0 else "",
        f"from {record.source}" if record.source else "",
    ]
    known = ", ".join(part for part in said if part)
    return f" ({known})" if known else ""


def _later(note: Annotation, record: Record) -> str:
    """Say what became known, and how long after the request had come."""
    after = f"  {_ms(max(0, note.made_us - record.received_us))} ms later: "
    body = body_of(note)
    if body is None:
        return f"{after}{note.kind}, which this version does not know"
    if isinstance(body, Feedback):
        return f"{after}feedback of {body.key}: {', '.join(body.signals)}"
    if isinstance(body, Grounding):
        return f"{after}{_found(body)}"
    tokens = f"{body.input_tokens:,} + {body.output_tokens:,} tokens"
    return f"{after}{tokens} {body.counting}, {body.role} {body.provider}/{body.model}"


def _found(body: Grounding) -> str:
    """Say what a sampled answer was found to be."""
    if body.verdict == "not_measured":
        return f"sampled, grounding not measured: {body.reason}"
    claims = f"{body.ungrounded} of {body.claims} claims ungrounded"
    return f"sampled and found {body.verdict} by {body.by} ({claims})"


def _ms(microseconds: int) -> str:
    """Write microseconds as milliseconds; a decimal below ten, where it tells something."""
    milliseconds = microseconds / 1000
    return f"{milliseconds:.1f}" if 0 < milliseconds < 10 else f"{milliseconds:,.0f}"
