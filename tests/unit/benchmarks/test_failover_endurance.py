"""The endurance run is past a limit when it is, and reads the gateway's own records."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from benchmarks.failover.endurance import (
    BUDGET_US,
    CLIENT_ALLOWANCE_US,
    SCENARIOS,
    Lasted,
    client_spans,
    past_limits,
    read_arguments,
    table,
)
from benchmarks.failover.own_records import Span, judge, record_spans
from benchmarks.failover.stalls import Stalls
from tests.support.records import record

GOOD = Lasted(
    sent=1000,
    valid=1.0,
    letters={"F": 1000},
    client_raw=1.0,
    client=1.0,
    records=1000,
    gateway_raw=0.999,
    gateway=1.0,
    latest_ms=141.0,
    rungs={"template": 1000},
    growth_mb=0.1,
    memory_mb=60.0,
    in_flight=80,
    pending_mb=0.1,
    upstream=90,
    waiting=0,
    calls=1.5,
    stalls_ms=3.0,
    generator_late_ms=1.0,
)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"valid": 0.9999}, "answered in valid form"),
        ({"gateway": 0.9998}, "in time"),
        ({"records": 999}, "without a record"),
        ({"growth_mb": 3.1}, "grew"),
        ({"pending_mb": 17.0}, "waited"),
    ],
)
def test_each_limit(change: dict[str, Any], said: str) -> None:
    assert past_limits({"dead": GOOD}) == []
    [past] = past_limits({"dead": GOOD, "slow": replace(GOOD, **change)})
    assert past.startswith("slow: ")
    assert said in past


def test_the_table_has_a_row_for_each_scenario() -> None:
    text = table({"dead": replace(GOOD, calls=-1.0), "slow": GOOD})
    assert text.count("\n") == 3
    assert "template 1000" in text


def test_late_answers_are_late_unless_the_machine_stood_still() -> None:
    spans = [
        Span(0, BUDGET_US, BUDGET_US),
        Span(1_000_000_000, BUDGET_US + 1, BUDGET_US),
        Span(2_000_000_000, BUDGET_US + 9_000, BUDGET_US),
    ]
    found = judge(spans, Stalls([(2_000_000_000, 2_010_000_000)]))
    assert (found.count, found.raw, found.excluded) == (3, 1, 2)
    assert judge([], Stalls([])).shares() == (0, 0)


def test_a_stream_is_judged_by_its_first_content_and_a_whole_answer_by_its_end() -> None:
    rows = [
        (True, 5, "F", "whole", True, 100, 900),
        (False, 6, "F", "whole", True, 100, 900),
    ]
    limit_us = BUDGET_US + CLIENT_ALLOWANCE_US
    assert client_spans(rows) == [(5, 100, limit_us), (6, 900, limit_us)]
    whole = record(stream=False, received_us=7, first_content_us=100, total_us=900, budget_us=150)
    streamed = msgspec.structs.replace(whole, stream=True)
    assert record_spans([whole, streamed], 2000) == [(5000, 900, 150), (5000, 100, 150)]


def test_unknown_scenarios_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert read_arguments([]).only == list(SCENARIOS)
    with pytest.raises(SystemExit):
        read_arguments(["--only", "asleep"])
    assert "asleep" in capsys.readouterr().err
