"""Real Prometheus, real Alertmanager, shipped files: a person is told, and no answer waits."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.alert_chain import Chain, chained
from tests.support.installations import Installation, Upstreams, route_text
from tests.support.programs import eventually
from tests.support.webhooks import hang

STORM_ROUTES = 150
MOST_ALERTS = 100


@pytest.fixture
def chain(tmp_path: Path, upstreams: Upstreams) -> Iterator[Chain]:
    files = {"routes/failing.toml": route_text("up/error-500")}
    with chained(tmp_path, upstreams, files) as made:
        yield made


@dataclass
class Asked:
    """What clients saw while something happened."""

    seen: Counter[tuple[int, str]] = field(default_factory=Counter)


@contextmanager
def asking(house: Installation) -> Iterator[Asked]:
    """Have two clients ask the route ``answers`` until the block ends."""
    asked, stop = Asked(), threading.Event()

    def ask() -> None:
        while not stop.wait(0.02):
            answer = house.ask("answers")
            asked.seen[answer.status, answer.headers.get("x-steadyhand-rung", "")] += 1

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield asked
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def assert_nobody_waited(chain: Chain, asked: Asked) -> None:
    assert sum(asked.seen.values()) > 20
    assert set(asked.seen) == {(200, "live")}, asked.seen

    def all_are_counted() -> bool:
        found = chain.house.records(route="answers", outcome="answered")
        return len(found) >= min(500, sum(asked.seen.values()))

    eventually(all_are_counted, "the records of all that was asked")
    assert not chain.house.records(route="answers", outcome="failed")
    late = chain.prometheus.get('/query?query=steadyhand_late_answers_total{route="answers"}')
    assert all(one["value"][1] == "0" for one in late["result"])


def storm() -> list[dict[str, Any]]:
    """Return an alert of each of two kinds for every one of many routes."""
    return [
        {
            "labels": {"alertname": name, "severity": severity, "route": f"route-{number}"},
            "annotations": {"summary": "...", "runbook": f"docs/operations/on-call.md#{name}"},
        }
        for name, severity in (
            ("SteadyhandFloorSpeaks", "page"),
            ("SteadyhandBudgetBurns", "page"),
        )
        for number in range(STORM_ROUTES)
    ]


def test_a_fault_reaches_a_person_with_its_runbook_and_so_does_its_end(chain: Chain) -> None:
    def is_told() -> bool:
        chain.house.ask("failing")
        return any(
            a["labels"]["alertname"] == "SteadyhandFloorSpeaks" for a in chain.told("firing")
        )

    eventually(is_told, "a person to be told", within_s=120)
    alert = next(
        a for a in chain.told("firing") if a["labels"]["alertname"] == "SteadyhandFloorSpeaks"
    )
    assert alert["labels"]["route"] == "failing"
    assert alert["labels"]["severity"] == "page"
    assert alert["annotations"]["runbook"] == ("docs/operations/on-call.md#steadyhandfloorspeaks")

    def is_heard() -> bool:
        return ("SteadyhandFloorSpeaks", "failing", "firing", "no_rollout") in {
            (one["name"], one["route"], one["status"], one["outcome"]) for one in chain.hints()
        }

    eventually(is_heard, "the control plane to hear the hint")

    chain.house.write("routes/failing.toml", route_text("up/steady"))

    def is_over() -> bool:
        chain.house.ask("failing")
        return any(
            a["labels"]["alertname"] == "SteadyhandFloorSpeaks" for a in chain.told("resolved")
        )

    eventually(is_over, "a person to be told the end", within_s=120)


def test_no_answer_waits_for_a_prometheus_that_hangs(chain: Chain) -> None:
    with asking(chain.house) as asked:
        chain.prometheus.hang()
        eventually(lambda: sum(asked.seen.values()) > 100, "a hundred answers", within_s=120)
        chain.prometheus.go_on()
        eventually(
            lambda: chain.prometheus.get("/query?query=steadyhand_gateway_up")["result"],
            "Prometheus to scrape again",
        )
    assert_nobody_waited(chain, asked)


def test_a_storm_is_few_messages_and_no_answer_waits_for_it(chain: Chain) -> None:
    with asking(chain.house) as asked:
        for start in range(0, 2 * STORM_ROUTES, 50):
            chain.alertmanager.tell(storm()[start : start + 50])

        def all_are_told() -> bool:
            told = [got.json for got in chain.people.received]
            return {"SteadyhandFloorSpeaks", "SteadyhandBudgetBurns"} <= {
                one["groupLabels"]["alertname"]
                for one in told
                if len(one["alerts"]) + one["truncatedAlerts"] == STORM_ROUTES
            }

        def all_are_judged() -> bool:
            outcomes = Counter(one["outcome"] for one in chain.hints())
            return outcomes.total() >= MOST_ALERTS and set(outcomes) <= {"no_rollout", "known"}

        eventually(all_are_told, "people to be told of all", within_s=60)
        eventually(all_are_judged, "the control plane to hear")
    assert len(chain.people.received) < STORM_ROUTES / 10
    assert max(len(got.json["alerts"]) for got in chain.people.received) == MOST_ALERTS
    assert_nobody_waited(chain, asked)


def test_hints_come_although_the_pager_hangs(chain: Chain) -> None:
    chain.people.answer = hang
    with asking(chain.house) as asked:
        chain.alertmanager.tell(storm()[:1])
        eventually(lambda: len(chain.hints()) == 1, "the control plane to hear")
        eventually(lambda: sum(asked.seen.values()) > 50, "answers", within_s=120)
    assert_nobody_waited(chain, asked)
