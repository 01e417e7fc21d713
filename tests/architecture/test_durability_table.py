"""The durability table promises nothing that no metric shows and no test exercises."""

import re
from pathlib import Path

import pytest

from steadyhand.telemetry.names import METRICS
from tests.support.tree import ROOT

PAGE = ROOT / "docs" / "operations" / "durability.md"
HEAD = ["failure", "batched", "strict", "what the client sees under strict", "what may be lost",
        "metric", "test"]  # fmt: skip
KNOWN = {metric.name for chapter in METRICS.values() for metric in chapter}
LINK = re.compile(r"\[(test_\w+)\]\(([^)]+)\)")


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def rows() -> list[list[str]]:
    """Return the rows of every table of failures."""
    found, inside = [], False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            inside = False
        elif cells(line) == HEAD:
            inside = True
        elif inside and not line.startswith("|---"):
            found.append(cells(line))
    return found


def test_there_are_rows_for_the_log_its_segments_and_its_database() -> None:
    assert len(rows()) > 15


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_a_row_says_what_is_declared_and_names_its_metric_and_its_test(row: list[str]) -> None:
    _, batched, strict, _, lost, metric, test = row
    assert batched.startswith("open"), "batched stops no answer"
    assert strict.startswith(("open", "closed"))
    assert lost
    metrics = re.findall(r"`(\w+)`", metric)
    assert metrics
    assert set(metrics) <= KNOWN
    tests = LINK.findall(test)
    assert tests
    for name, path in tests:
        file: Path = PAGE.parent / path
        assert re.search(rf"(?m)^(async )?def {name}\(", file.read_text(encoding="utf-8")), name
