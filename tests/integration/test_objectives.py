"""Objectives of a real installation: counted, shown, kept, taken over from the file."""

import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import steadyhand
from tests.support.installations import (
    Installation,
    Upstreams,
    route_text,
    serving,
    settings_text,
)
from tests.support.programs import eventually
from tests.support.raw_client import Line

OBJECTIVES = """
[objectives]
period_days = 1
sample_s = 0.2

[objectives.routes.failing]
answered = {target_percent = 90}

[prices."up/steady"]
input_usd_per_mtok = 1000.0
output_usd_per_mtok = 1000.0
"""


@pytest.fixture
def house(tmp_path: Path, upstreams: Upstreams) -> Iterator[Installation]:
    files = {
        "steadyhand.toml": settings_text(upstreams) + OBJECTIVES,
        "routes/failing.toml": route_text("up/error-500"),
        "routes/good.toml": route_text("up/steady"),
    }
    with serving(tmp_path, upstreams, files) as made:
        yield made


def metrics(house: Installation) -> str:
    with Line(house.control_port) as line:
        answer = line.ask("GET", "/metrics", {"Host": "localhost"})
    return answer.body.decode()


def objective(house: Installation, route: str, name: str) -> dict[str, Any]:
    status, found = house.rest(f"/objectives?route={route}")
    if status != 200:
        return {"events": 0}  # the control process is being started again
    return next(one for one in found["items"] if one["objective"] == name)


def test_a_broken_provider_burns_the_budget_and_is_told(house: Installation) -> None:
    for _ in range(12):
        house.ask("failing")
        house.ask("good")

    def is_burnt() -> bool:
        return bool(objective(house, "failing", "answered")["events"] >= 12)

    eventually(is_burnt, "twelve requests to be counted")
    burnt = objective(house, "failing", "answered")
    assert burnt["bad"] == burnt["events"] == 12
    assert burnt["budget_left_ratio"] == pytest.approx(1 - 12 / 5)
    assert burnt["state"] == "exhausted"

    def is_told() -> bool:
        told = objective(house, "failing", "answered")["alerts"]
        return {"SteadyhandBudgetBurns", "SteadyhandBudgetSpent"} <= {one["name"] for one in told}

    eventually(is_told, "the alerts")
    assert objective(house, "failing", "availability")["bad"] == 0  # the floor is a valid answer
    good = objective(house, "good", "in_time")
    assert good["state"] == "ok"
    assert good["alerts"] == []


def test_metrics_and_cost_are_scraped(house: Installation) -> None:
    house.ask("good")

    def shown() -> str:
        return metrics(house)

    eventually(
        lambda: (
            'steadyhand_objective_events_total{objective="in_time",route="good"} 1.0' in shown()
        ),
        "the request to be counted",
    )
    text = shown()
    assert 'steadyhand_objective_bad_events_total{objective="in_time",route="good"} 0.0' in text
    assert 'steadyhand_objective_target_ratio{objective="answered",route="failing"} 0.9' in text
    cost = next(line for line in text.splitlines() if line.startswith("steadyhand_cost_usd_total{"))
    assert float(cost.rpartition(" ")[2]) > 0


def test_another_target_is_taken_over_without_a_restart(house: Installation) -> None:
    path = house.root / "steadyhand.toml"
    text = path.read_text()
    path.write_text(text.replace("target_percent = 90", "target_percent = 75"))
    eventually(
        lambda: objective(house, "failing", "answered")["target_ratio"] == 0.75, "the new target"
    )
    path.write_text(text.replace("target_percent = 90", "target_percent = 7"))
    house.ask("failing")
    eventually(lambda: objective(house, "failing", "answered")["events"] >= 1, "the request")
    assert (
        objective(house, "failing", "answered")["target_ratio"] == 0.75
    )  # a mistake changes nothing


def test_a_budget_outlasts_a_restart_of_the_control_process(house: Installation) -> None:
    for _ in range(5):
        house.ask("failing")
    eventually(lambda: objective(house, "failing", "answered")["events"] == 5, "five requests")
    before = house.control_pid()
    os.kill(before, signal.SIGTERM)
    eventually(lambda: house.control_pid() != before, "another control process")
    eventually(lambda: objective(house, "failing", "answered")["events"] == 5, "them again")
    assert objective(house, "failing", "answered")["bad"] == 5
    house.ask("failing")
    eventually(lambda: objective(house, "failing", "answered")["events"] == 6, "one more")


def test_the_command_shows_them_and_prints_rules(house: Installation) -> None:
    where = (f"--workspace={house.root}", f"--url=http://127.0.0.1:{house.control_port}")
    shown = steadyhand("objectives", "list", "--json=route,objective,state", *where)
    assert {"route": "good", "objective": "in_time", "state": "no_data"} in json.loads(shown.stdout)
    table = steadyhand("objectives", "list", "--route", "failing", *where).stdout
    assert "answered" in table
    assert "90 %" in table
    rules = steadyhand("objectives", "rules", *where).stdout
    assert "for a period of 1d, scraped each 0.2 s" in rules
    assert "alert: SteadyhandBudgetBurns\n" in rules


def test_counts_wait_in_memory_while_the_database_is_locked(house: Installation) -> None:
    house.ask("good")
    eventually(lambda: objective(house, "good", "in_time")["events"] == 1, "one request")
    with sqlite3.connect(house.root / ".steadyhand" / "steadyhand.db") as blocker:
        blocker.execute("begin exclusive")
        house.ask("good")  # the ladder asks no database
        blocker.rollback()
    eventually(lambda: objective(house, "good", "in_time")["events"] == 2, "the other one")
