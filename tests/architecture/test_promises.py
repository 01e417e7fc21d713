"""Each promise has a test that breaks what it is about, and a counter: both exist."""

import re

import pytest

from steadyhand.telemetry.names import METRICS
from tests.support.tree import ROOT

PAGE = ROOT / "docs" / "operations" / "promises.md"
ROWS = [
    [cell.strip() for cell in row.strip("|\n").split("|")]
    for row in re.findall(r"(?m)^\|.+\|$", PAGE.read_text(encoding="utf-8"))
    if not row.startswith(("|---", "| promise |"))
]
A_TEST = re.compile(r"(?m)^ *(async )?def test_|^Test\w+ = ")
KNOWN = {metric.name for chapter in METRICS.values() for metric in chapter}


def test_there_are_promises() -> None:
    assert len(ROWS) > 15
    assert len({row[0] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:60])
def test_a_promise_has_a_test_that_runs_and_a_counter_that_counts(row: list[str]) -> None:
    _, tests, counters = row
    named = re.findall(r"\]\(([^)]+)\)", tests)
    assert named, "which test breaks it?"
    for target in named:
        path = (PAGE.parent / target).resolve()
        assert A_TEST.search(path.read_text(encoding="utf-8")), target
    metrics = re.findall(r"steadyhand_\w+", counters)
    assert metrics, "what shows how often it was exercised?"
    assert set(metrics) <= KNOWN


def test_every_counter_of_the_ladder_is_named_by_a_promise() -> None:
    named = {metric for row in ROWS for metric in re.findall(r"steadyhand_\w+", row[2])}
    chapters = ("Health of deployments", "Hedges", "Rungs", "Stored answers")
    counters = {m.name for name in chapters for m in METRICS[name] if m.type == "counter"}
    assert counters - named == set()
