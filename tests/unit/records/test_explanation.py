import msgspec
import pytest

from steadyhand.records.annotation import Grounding, annotation
from steadyhand.records.explanation import explanation
from steadyhand.records.record import Attempt
from tests.support.made_records import ANSWERED

STORY = """\
support · abababababab · answered, first content in 1,241 of 2,500 ms, all in 1,956 ms
    0    817 ms  ✕ openai/gpt-fast  gave up
  857    931 ms  ✕ openai/gpt-fast  rate limited, status 429
  931  1,904 ms  ✓ backup/gpt-slow  first content 1,241 ms, 412 tokens
  sent: status 200 by live, stream, 20,480 bytes, finish reason stop"""


def test_the_ladder_is_told_rung_by_rung() -> None:
    assert explanation(ANSWERED) == STORY


def test_a_floor_that_came_late_says_so() -> None:
    floor = Attempt("template", "", "", 2_400_000, 2_400_300, 0, "ok")
    record = msgspec.structs.replace(
        ANSWERED,
        outcome="floor",
        reason="every_rung_failed",
        rung="template",
        provider="",
        model="",
        attempts=(ANSWERED.attempts[0], floor),
        total_us=2_600_000,
        first_content_us=0,
        output_tokens=0,
        finish_reason="",
        stream=False,
        in_time=False,
    )
    head, *_, last_try, sent = explanation(record).splitlines()
    assert head == "support · abababababab · floor in 2,600 of 2,500 ms · every_rung_failed · late"
    assert last_try.split() == ["2,400", "2,400", "ms", "✓", "template", "ok"]
    assert sent == "  sent: status 200 by template, whole answer, 20,480 bytes"


def test_a_rejected_request_tried_nothing() -> None:
    record = msgspec.structs.replace(
        ANSWERED,
        outcome="rejected",
        reason="model_not_found",
        route="",
        requested_model="suport",
        rung="",
        budget_us=0,
        in_time=False,
        attempts=(),
        status=404,
        total_us=900,
        finish_reason="",
    )
    assert explanation(record).splitlines() == [
        "suport · abababababab · rejected in 0.9 ms · model_not_found",
        "  nothing was tried",
        "  sent: status 404, stream, 20,480 bytes",
    ]


def test_a_rung_that_was_good_but_did_not_speak_is_just_ok() -> None:
    record = msgspec.structs.replace(
        ANSWERED, provider="", model="", rung="", route="", requested_model="", release=""
    )
    assert "✓ backup/gpt-slow  ok" in explanation(record)
    assert explanation(record).startswith("no route · answered, first")


def test_an_answer_that_was_there_before_says_where_it_is_from() -> None:
    record = msgspec.structs.replace(
        ANSWERED, rung="knowledge", attempts=(), confidence=0.934, source="sql-vacuum", stream=False
    )
    _, tried, sent = explanation(record).splitlines()
    assert tried == "  no model was asked"
    assert " by knowledge (confidence 0.93, from sql-vacuum), whole answer" in sent
    cached = msgspec.structs.replace(
        record, rung="cache", confidence=-1.0, source="", age_ms=61_500
    )
    assert " by cache (61,500 ms old), " in explanation(cached)


@pytest.mark.parametrize(
    ("verdict", "reason", "told"),
    [
        ("ungrounded", "", "sampled and found ungrounded by overlap-1 (1 of 3 claims ungrounded)"),
        ("not_measured", "no_context", "sampled, grounding not measured: no_context"),
    ],
)
def test_what_a_sample_was_found_to_be_is_told(verdict: str, reason: str, told: str) -> None:
    body = Grounding("acme", "support", "", verdict, reason, 0.1, "overlap-1", 3, 1, 0.1)
    note = annotation(ANSWERED.request_id, ANSWERED.received_us + 2_000_000, body)
    assert explanation(ANSWERED, notes=[note]).splitlines()[-1] == f"  2,000 ms later: {told}"
