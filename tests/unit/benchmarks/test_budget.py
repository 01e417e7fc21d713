"""A limit is within, past or not measured, and what is not measured never reads as good."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.budget import Limit, State, judge, read_limits
from benchmarks.measure import LOADS
from benchmarks.tables import medians, render, render_verdicts

BUDGET = Path(__file__).resolve().parents[3] / "benchmarks" / "budget.toml"

LEAST = Limit("requests", "per_s", least=100)
MOST = Limit("latency", "p99", beyond="direct", most=2)
RATIO = Limit("over nginx", "per_s", over="nginx", least=0.5)


@pytest.mark.parametrize(
    ("limit", "found", "state", "value"),
    [
        (LEAST, {"ours": {"per_s": 100.0}}, State.WITHIN, 100),
        (LEAST, {"ours": {"per_s": 99.0}}, State.PAST, 99),
        (MOST, {"ours": {"p99": 5.0}, "direct": {"p99": 3.0}}, State.WITHIN, 2),
        (MOST, {"ours": {"p99": 5.1}, "direct": {"p99": 3.0}}, State.PAST, 2.1),
        (RATIO, {"ours": {"per_s": 6.0}, "nginx": {"per_s": 10.0}}, State.WITHIN, 0.6),
        (RATIO, {"ours": {"per_s": 4.0}, "nginx": {"per_s": 10.0}}, State.PAST, 0.4),
        (RATIO, {"ours": {"per_s": 4.0}, "nginx": {"per_s": 0.0}}, State.UNKNOWN, None),
    ],
)
def test_a_limit_comes_to(
    limit: Limit, found: Mapping[str, Mapping[str, float]], state: State, value: float | None
) -> None:
    [verdict] = judge([limit], found)
    assert verdict.state is state
    assert verdict.value == (None if value is None else pytest.approx(value))


@pytest.mark.parametrize(
    ("limit", "found", "is_failure"),
    [
        (RATIO, {"ours": {"per_s": 4.0}}, False),  # nginx is not installed
        (RATIO, {"nginx": {"per_s": 4.0}}, True),  # ours did not start
        (RATIO, {"ours": {"per_s": 4.0}, "nginx": {}}, True),  # nginx ran, and gave no figure
        (RATIO, {}, True),
        (LEAST, {"ours": {}}, True),  # saturated
        (LEAST, {"ours": {"per_s": 100.0}}, False),
        (LEAST, {"ours": {"per_s": 1.0}}, True),
    ],
)
def test_the_gate_stays_shut_unless_the_other_cannot_be_had(
    limit: Limit, found: Mapping[str, Mapping[str, float]], is_failure: bool
) -> None:
    [verdict] = judge([limit], found)
    assert verdict.is_failure is is_failure


@pytest.mark.parametrize(
    "table",
    [
        {"say": "no bound", "measure": "per_s"},
        {"say": "both", "measure": "per_s", "least": 1, "over": "nginx", "beyond": "direct"},
    ],
)
def test_a_limit_must_make_sense(table: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=table["say"]):
        read_limits([table])


def sample(unanswered: int = 0) -> dict[str, Any]:
    times = {"p50": 100.0, "p99": 900.0}
    return {
        "per_s": 1000.0,
        "events_per_s": 0.0,
        "errors": 0,
        "total": 1000,
        "unanswered": unanswered,
        "latency_us": times,
        "event_delay_us": times,
        "cpu_us": 50.0,
        "later_cpu_us": 5.0,
        "gateway_share": 1.0,
        "load_share": 0.5,
        "foreign_share": 0.0,
        "rss_mb": 90.0,
        "processes": [{"title": "gateway", "rss_mb": 40.0}, {"title": "control", "rss_mb": 50.0}],
    }


def test_every_limit_is_on_something_that_is_measured() -> None:
    limits = read_limits(tomllib.loads(BUDGET.read_text(encoding="utf-8"))["limit"])
    found = medians({load: [sample()] for load in LOADS}, [0.5])
    assert [limit.say for limit in limits if limit.measure not in found] == []
    targets = {limit.over or limit.beyond or limit.target for limit in limits}
    verdicts = judge(limits, dict.fromkeys(targets | {"ours"}, found))
    assert [verdict.limit.say for verdict in verdicts if verdict.state is State.UNKNOWN] == []


def test_a_saturated_target_has_no_percentiles() -> None:
    found = medians({"open": [sample(unanswered=500)]}, [])
    assert "open.p99_us" not in found
    assert "saturated" in render({"direct": {}, "ours": found})


def test_memory_that_counts_is_that_of_the_process_which_answers() -> None:
    found = medians({"closed": [sample()]}, [])
    assert found["closed.serving_rss_mb"] == 40
    assert found["closed.rss_mb"] == 90


def test_a_failure_is_written_so_that_it_is_seen() -> None:
    text = render_verdicts(judge([LEAST], {"ours": {"per_s": 1.0}}))
    assert "PAST" in text
