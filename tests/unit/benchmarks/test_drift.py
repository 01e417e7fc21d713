import json
from itertools import islice
from math import inf
from typing import Any

import pytest

from benchmarks.drift.plot import draw
from benchmarks.drift.race import CHANGED, QUIET, Job, jobs, run
from benchmarks.drift.report import alarms, found, poisson_upper, problems, render, said
from benchmarks.drift.traces import Scenario, steady, step, tries


def test_a_trace_is_the_same_for_the_same_seed() -> None:
    for scenario in (*QUIET, *CHANGED):
        one, same, other = (list(islice(tries(scenario, 1.0, 9.0, seed), 50)) for seed in (1, 1, 2))
        assert one == same != other


def test_a_change_begins_when_the_scenario_says() -> None:
    plain = islice(tries(Scenario("plain", steady), 1.0, 10.0, 3), 400)
    stepped = islice(tries(Scenario("step", step(20.0, 3.0), 20.0), 1.0, 10.0, 3), 400)
    for (now_s, before_s, _), (same_s, latency_s, _) in zip(plain, stepped, strict=True):
        assert now_s == same_s
        assert latency_s == pytest.approx(before_s * (3.0 if now_s >= 20.0 else 1.0))


@pytest.mark.parametrize(
    ("count", "upper"), [(0, 2.996), (1, 4.744), (10, 16.962), (1_000, 1_053.6)]
)
def test_the_bound_is_that_of_the_tables(count: int, upper: float) -> None:
    assert poisson_upper(count) == pytest.approx(upper, rel=0.001)


def test_a_race_says_when_each_method_saw_the_change() -> None:
    ran = run(Job("step ×3", 0.05, 50.0, 1, 360.0, "shown"))
    seen = {each["family"]: each for each in ran["found"]}
    assert seen["ours"]["alarms"] == 0
    assert 0 < seen["ours"]["delay_s"] < 5
    assert seen["Envoy outliers"]["delay_s"] is None  # 150 ms is no time-out


def test_what_was_not_measured_is_no_success() -> None:
    assert len(problems([])) == 4
    quiet: dict[str, Any] = {"scenario": "stationary", "rate": 100.0, "seconds": 86_400.0 * 4}
    ours = {"family": "ours", "threshold": 16.0}
    step_runs: dict[str, Any] = {"scenario": "step ×3", "rate": 100.0, "seconds": 360.0}
    runs: list[dict[str, Any]] = []
    for base_s in (0.05, 1.0):
        runs.append({**quiet, "base_s": base_s, "found": [{**ours, "alarms": 0, "delay_s": None}]})
        runs.append(
            {**step_runs, "base_s": base_s, "found": [{**ours, "alarms": 0, "delay_s": 1.5}]}
        )
    assert problems(runs) == []
    runs[-1]["found"][0]["delay_s"] = None
    assert len(problems(runs)) == 1
    assert alarms(found(runs, "stationary", 1.0, 100.0, "ours", 16.0)) == (0, 4.0)
    assert "1 of 1 missed" in render(runs) or "not seen" in render(runs)


def test_delays_are_said_with_what_was_missed() -> None:
    assert said([]) == ""
    assert said([1.0, 2.0, 3.0]) == "2.00 / 3.00"
    assert said([1.0, 2.0, inf]) == "2.00 / 1 of 3 missed"
    assert said([inf, inf]) == "not seen"


def test_the_curves_tell_their_points_as_text() -> None:
    drawn = draw("Delay", {"base 1 s": {"ours": [(1.7, 0.9), (2.0, 0.5)], "EWMA": [(4.0, 300.0)]}})
    assert drawn.startswith("<svg")
    assert "ours: 1.7 s at 0.9 a day" in drawn
    assert drawn.count("<circle") == 3
    with pytest.raises(ValueError, match="nothing"):
        draw("Delay", {"base 1 s": {}})


def test_a_run_has_enough_days_for_its_bound() -> None:
    for base_s in (0.05, 1.0):
        days = sum(
            each.seconds / 86_400
            for each in jobs(3.0, 1)
            if each.scenario == "stationary" and each.rate == 100.0 and each.base_s == base_s
        )
        assert poisson_upper(0) / days <= 1.0
    assert json.dumps([each.scenario for each in jobs(0.1, 1)])
