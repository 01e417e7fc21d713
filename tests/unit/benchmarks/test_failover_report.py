"""What cells come to, which columns are lost, and the plot that shows it."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks.failover import report
from benchmarks.failover.cases import CASES, answers, body, chosen
from benchmarks.failover.cells import cell
from benchmarks.failover.report import lost_cells, lost_columns, page, picture
from benchmarks.failover.scoring import LETTERS
from benchmarks.failover.stalls import Stalls, merged, read
from benchmarks.failover.summary import behind, mark, totals
from benchmarks.failover.watch import slope_mb
from steadyhand.simulation.behaviour import BEHAVIOURS

SVG = "{http://www.w3.org/2000/svg}"
QUIET = Stalls([])


def made(
    case: str, form: str, calls: float = 1.0, invalid: int = 0, **letters: int
) -> dict[str, Any]:
    return {
        "case": case,
        "form": form,
        "sent": sum(letters.values()),
        "letters": dict.fromkeys(LETTERS, 0) | letters,
        "raw_late": 0,
        "invalid": invalid,
        "whys": {},
        "calls": calls,
    }


def run(cells: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "version": "1",
        "memory_mb": 50.0,
        "stalls_ms": 0.0,
        "latest_ms": 0.0,
        "unwell": [],
        "own": {"records": 4, "sent": 4, "in_time": 1.0, "in_time_raw": 0.5},
        "cells": cells,
    }


def state(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "machine": {"cpu": "c", "cores": 2, "kernel": "k", "python": "3"},
        "seconds": 2.0,
        "cases": ["error-500", "both-dead"],
        "gateways": {
            "steadyhand": {"title": "Steadyhand", "capacity_per_s": 0, "rates": {"20": run(ours)}},
            "litellm": {"title": "LiteLLM", "capacity_per_s": 40.0, "rates": {"20": run(theirs)}},
        },
    }


def pair(**letters: int) -> list[dict[str, Any]]:
    return [
        made(case, form, **letters)
        for case in ("error-500", "both-dead")
        for form in ("stream", "whole")
    ]


def test_every_cell_weighs_the_same() -> None:
    found = totals(
        [made("a", "stream", A=1), made("b", "stream", calls=3.0, X=99, L=1, invalid=99)]
    )
    assert found.answered == 0.5
    assert found.truthful == pytest.approx(0.505)
    assert found.in_time == 0.5
    assert found.valid == pytest.approx(0.505)
    assert (found.calls, found.calls_an_answer) == (2.0, 4.0)


def test_calls_to_a_port_where_nobody_listens_are_not_known() -> None:
    assert totals([made("a", "stream", calls=-1.0, A=1)]).calls_an_answer == 0


def test_a_column_is_lost_if_it_is_worse_and_only_then() -> None:
    good, bad = totals(pair(A=10)), totals(pair(A=9, X=1))
    assert behind(good, good) == behind(good, bad) == []
    assert behind(bad, good) == ["answered", "in_time", "truthful", "calls_an_answer"]


def test_lost_columns_and_cells_are_named() -> None:
    lost = state(pair(A=9, E=1), pair(A=10))
    assert lost_columns(lost) == [
        "one broken: answered behind litellm",
        "one broken: calls_an_answer behind litellm",
        "both broken: answered behind litellm",
        "both broken: calls_an_answer behind litellm",
    ]
    assert "error-500 (stream): A 90% E 10%, but litellm A" in lost_cells(lost)
    assert lost_columns(state(pair(A=10), pair(A=9, X=1))) == []


def test_a_mixed_cell_shows_its_letters_the_most_frequent_first() -> None:
    assert mark(made("a", "whole", A=9, L=1)) == "A 90% L 10%"
    assert mark(made("a", "whole", X=3)) == "X"


def test_page_and_plot_are_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = state(pair(A=10), pair(A=5, X=5))
    text = page(found, "2026-11-26-failover")
    assert "| error-500" in text
    assert "**X** cut or error passed off as whole" in text
    assert "LiteLLM 40" in text
    assert "100.00% in time (50.00% on the clock, 4 records of 4 requests)" in text
    drawn = ElementTree.fromstring(picture(found))  # noqa: S314 - made here
    assert drawn.get("role") == "img"
    said = [element.text for element in drawn.iter(f"{SVG}text")]
    assert said.count("A") == 1 + 8, "the legend, and four cells of each gateway"
    assert "error-500" in said
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    report.write(found, "saved")
    assert json.loads((tmp_path / "saved.json").read_text()) == found
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".md", ".svg"}


def test_a_stall_of_the_machine_is_not_charged_but_told() -> None:
    second = 1_000_000_000
    rows = [(True, 5 * second, "A", "whole", True, 1_600_000, 1_700_000)]
    assert cell("a", "stream", rows, QUIET, 1.0).letters["L"] == 1
    stalled = cell("a", "stream", rows, Stalls([(6 * second, 6 * second + 200_000_000)]), 1.0)
    assert (stalled.letters["A"], stalled.raw_late) == (1, 1)


def test_stalls_of_two_cores_are_joined_and_counted_only_within_a_span(tmp_path: Path) -> None:
    file = tmp_path / "stalls"
    assert read(file) == []
    file.write_text("1000 3000\n9000 9\n12")
    assert read(file) == [(1000, 3000), (9000, 9)]
    found = merged([(1_000, 3_000)], [(2_000, 5_000), (9_000, 10_000)])
    assert len(found) == 2
    assert found.within_us(0, 20_000) == 5
    assert found.within_us(4_000, 9_500) == 1
    assert found.within_us(5_000, 9_000) == 0
    assert found.total_ms() == pytest.approx(0.005)


def test_every_behaviour_of_the_simulated_provider_is_a_case() -> None:
    names = {case.name for case in CASES}
    assert names >= BEHAVIOURS.keys()
    assert [case.name for case in chosen(["drip"])] == ["drip"]
    with pytest.raises(KeyError, match="drop"):
        chosen(["drop"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_there_is_no_second_request_and_its_answers_are_known(case: Any) -> None:
    one, other = (body(case, number, stream=True) for number in (1, 2))
    assert one != other
    found = answers(case, one)
    assert found
    assert all(answer.content or answer.refusal or answer.calls for answer in found)


def test_memory_that_grows_is_told_from_memory_that_jumps() -> None:
    steady = [(float(at), 50.0 + (at % 7 == 0) * 5) for at in range(100)]
    growing = [(float(at), 50.0 + at * 0.1) for at in range(100)]
    assert slope_mb(steady) == pytest.approx(0, abs=0.5)
    assert slope_mb(growing) == pytest.approx(5, rel=0.1)
    assert slope_mb(growing[:3]) == 0
