"""The measurement of grounding: its AUROC, its fit, and its page, on claims made here."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.grounding import __main__ as measuring
from benchmarks.grounding.labelled import checked, read
from benchmarks.grounding.telling import auroc, committed, fit
from benchmarks.grounding.twins import World, pooled, rollout

CONTEXT = [f"The {name} weighs {number} kilograms." for number, name in enumerate("abcdefghij", 20)]


def write(folder: Path, name: str = "dev") -> None:
    rows = []
    for number, name_ in enumerate("abcdefghij", 20):
        rows.append({"claim": f"The {name_} weighs {number} kilograms.", "human": "supported"})
        rows.append({"claim": f"Anna sold {number + 50} brown {name_}.", "human": "not_supported"})
    with gzip.open(folder / f"{name}.jsonl.gz", "wt") as file:
        for row in rows:
            file.write(json.dumps({**row, "sentences": CONTEXT}) + "\n")


def test_auroc_counts_ties_half() -> None:
    labels = np.array([1.0, 0.0, 1.0, 0.0])
    assert auroc(np.array([0.9, 0.1, 0.8, 0.2]), labels) == 1
    assert auroc(np.array([0.5, 0.5, 0.5, 0.5]), labels) == 0.5
    assert auroc(np.array([0.1, 0.9, 0.2, 0.8]), labels) == 0


def test_sets_are_measured_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path)
    assert measuring.main([str(tmp_path), "--gate", "--fit"]) == 0
    page = capsys.readouterr().out
    assert "| **AUROC** | **1.000** |" in page
    assert "| claims, of them supported | 20, 10 |" in page


def test_a_number_that_is_not_kept_is_a_failure(tmp_path: Path) -> None:
    assert measuring.main([str(tmp_path), "--gate"]) == 1
    assert measuring.problems({"x": {"with_context_ms": {"mean": 11}, "auroc": 0.7}}) == [
        "x: 11.0 ms a claim",
        "x: an AUROC of 0.700",
    ]


def test_the_fit_finds_what_tells(tmp_path: Path) -> None:
    write(tmp_path)
    weights = fit(checked(read(tmp_path / "dev.jsonl.gz")))
    assert weights.keys() == committed().keys()
    assert weights["near"] > 0 > weights["absent_numbers"]


def test_worse_candidates_are_taken_back_and_twins_are_counted() -> None:
    worse = World("worse", 0.2, 3.0, sampled=1.0)
    found = rollout(worse, 1)
    assert found.rolled_back_s is not None
    assert found.measured > 0
    twin = {"world": {"ratio": 1.0}, "runs": 300, "rolled_back": 0}
    other = {"world": {"ratio": 2.0}, "runs": 300, "rolled_back": 300}
    assert pooled([twin, other])["runs"] == 300
    assert pooled([twin, other])["at_most"] < 0.01
    assert pooled([])["at_most"] == 1
