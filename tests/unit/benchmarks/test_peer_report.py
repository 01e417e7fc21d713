import json
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks.peer_plot import Bar, draw
from benchmarks.peer_report import bars, summary, table


def _round(rps: float, cpu_us: float, p50: float, errors: int = 0) -> dict[str, Any]:
    return {
        "rps": rps,
        "cpu_us": cpu_us,
        "util": 0.9,
        "rss": 80.0,
        "errors": errors,
        "p50": p50,
        "p99": 2 * p50,
        "chunks_ps": 5_000.0,
        "c50": 200.0,
        "c99": 400.0,
    }


def _target(rps: float, cpu_us: float, *, at_500: float = 500) -> dict[str, Any]:
    closed = [_round(rps * factor, cpu_us, 1_000) for factor in (0.9, 1, 1.2)]
    samples = {
        "c64": closed,
        "r500": [_round(at_500, cpu_us, 700)],
        "burst": [_round(1_000, cpu_us, 900)],
        "paced": [_round(100, cpu_us, 900)],
    }
    return {"cold": 0.25, "ok": True, "err": "", "samples": samples}


RAW = {
    "ours": _target(8_000, 100),
    "envoy": _target(10_000, 80),
    "litellm": _target(50, 20_000, at_500=60),
    "direct": {**_target(90_000, 10), "cold": None},
    "portkey-patched": {"cold": None, "ok": False, "err": "exited 1", "samples": {}},
}


def _row(name: str) -> list[str]:
    rows = [line for line in table(summary(RAW)).splitlines() if name in line]
    assert len(rows) == 1
    return [cell.strip() for cell in rows[0].strip("|").split("|")]


def test_a_row_has_medians_range_ratio_and_added_latency() -> None:
    cells = _row("everything on")
    assert cells[1:4] == ["8,000 (7,200–9,600)", "0.8", "100.0"]
    assert cells[4] == "0.00 / 0.00", "its latency is that of `direct`, so nothing is added"


def test_a_target_that_cannot_do_the_rate_has_no_latencies() -> None:
    assert _row("LiteLLM")[4] == "saturated"


def test_a_target_that_did_not_start_is_left_out() -> None:
    assert "Portkey" not in table(summary(RAW))


def test_a_harness_that_counted_errors_shows_them() -> None:
    raw = json.loads(json.dumps(RAW))
    raw["envoy"]["samples"]["c64"][0]["errors"] = 7
    assert summary(raw)["envoy"]["errors"] == 7


def test_bars_are_ordered_by_cost() -> None:
    assert [bar.value for bar in bars(summary(RAW))] == [10, 80, 100, 20_000]


def test_the_plot_is_xml_that_says_its_values_in_words() -> None:
    text = draw("a < b", [Bar("one & two", 12, ours=True), Bar("three", 3_400, ours=False)])
    root = ElementTree.fromstring(text)  # noqa: S314 - made a line above
    words = "".join(root.itertext())
    assert "one & two: 12.0; three: 3,400.0" in words
    assert "a < b" in words


@pytest.mark.parametrize("bars_", [[], [Bar("none", 0, ours=False)]])
def test_a_logarithmic_chart_needs_positive_values(bars_: list[Bar]) -> None:
    with pytest.raises(ValueError, match="positive"):
        draw("title", bars_)
