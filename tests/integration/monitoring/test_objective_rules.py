"""The rules as they are evaluated here say what a real Prometheus says of the same samples."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any
from urllib.parse import quote

import pytest
from typing_extensions import override

from steadyhand.objectives.evaluation import Evaluation
from steadyhand.objectives.model import Key, Objective
from steadyhand.objectives.rule_file import rule_file
from steadyhand.objectives.rules import BAD, EVENTS, LEFT, TARGET, RuleSet, ratio_name, rule_set
from steadyhand.objectives.series import Counted
from tests.support.ports import free_port
from tests.support.programs import eventually
from tests.support.prometheus import Prometheus, watching

PERIOD_S = 3_600.0
SCRAPE_S = 1.0
HOLD_S = 3
SETTLED_S = 2.0
"""By then a scrape and an evaluation have been stored, on a busy machine as well."""
OBJECTIVES = (
    Objective("support", "availability", 0.999),
    Objective("support", "answered", 0.9),
    Objective("rare", "in_time", 0.99),
    Objective("quiet", "in_time", 0.99),
)


def hurried() -> RuleSet:
    """Return the rules of the smallest period, told after three seconds."""
    rules = rule_set(PERIOD_S, SCRAPE_S)
    return rules._replace(alerts=[rule._replace(hold_s=HOLD_S) for rule in rules.alerts])


class Counters:
    """What is scraped: grows at each scrape, in a way of its own for each objective."""

    def __init__(self) -> None:
        self.scrapes = 0
        self.counted = {Key(one.route, one.kind): Counted(0, 0) for one in OBJECTIVES}

    def text(self) -> str:
        """Return the next exposition."""
        self.scrapes += 1
        number = self.scrapes
        fails = 8 <= number < 20
        self._add("support", "availability", 40, 7 if fails else 0)
        self._add("support", "answered", 40, 39 if fails else 3)
        self._add("rare", "in_time", number % 2, number % 2)
        lines = []
        for one in OBJECTIVES:
            labels = f'{{route="{one.route}",objective="{one.kind}"}}'
            counted = self.counted[Key(one.route, one.kind)]
            lines += [
                f"{EVENTS}{labels} {counted.events}",
                f"{BAD}{labels} {counted.bad}",
                f"{TARGET}{labels} {one.target_ratio!r}",
                f"{LEFT}{labels} 0.5",
            ]
        return "\n".join(lines) + "\n"

    def _add(self, route: str, kind: str, events: int, bad: int) -> None:
        before = self.counted[Key(route, kind)]
        self.counted[Key(route, kind)] = Counted(before.events + events, before.bad + bad)


class Past:
    """What a Prometheus knew at one moment: it goes on scraping while it is asked."""

    def __init__(self, prometheus: Prometheus, at_s: float) -> None:
        self._prometheus, self._at_s = prometheus, at_s

    def samples(self, selector: str) -> list[dict[str, Any]]:
        """Return what was stored in the five minutes before."""
        asked = f"/query?query={quote(selector + '[5m]')}&time={self._at_s:.3f}"
        found: list[dict[str, Any]] = self._prometheus.get(asked)["result"]
        return found


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    counters = Counters()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = counters.text().encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, *_: Any) -> None:
            """Be quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    folder = tmp_path_factory.mktemp("rules") / "prometheus"
    rules = rule_file(hurried(), PERIOD_S, SCRAPE_S)
    try:
        with watching(folder, server.server_port, free_port(), rules) as made:
            eventually(lambda: counters.scrapes >= 36, "36 scrapes", within_s=120)
            yield Past(made, time.time() - SETTLED_S)
    finally:
        server.shutdown()
        server.server_close()


Samples = list[tuple[float, float]]


def samples(prometheus: Past, metric: str) -> dict[Key, Samples]:
    """Return what was stored of a metric."""
    return {
        Key(one["metric"]["route"], one["metric"]["objective"]): [
            (float(at), float(value)) for at, value in one["values"]
        ]
        for one in prometheus.samples(metric)
    }


def replayed(prometheus: Past, key: Key) -> tuple[Evaluation, Objective, Samples]:
    """Return an evaluation that was given the samples that Prometheus took."""
    events, bad = samples(prometheus, EVENTS)[key], samples(prometheus, BAD)[key]
    assert [at for at, _ in events] == [at for at, _ in bad]
    evaluation = Evaluation(hurried(), PERIOD_S)
    for (at, all_of), (_, worse) in zip(events, bad, strict=True):
        evaluation.series(key).add(at, all_of, worse)
    return evaluation, next(one for one in OBJECTIVES if Key(one.route, one.kind) == key), events


def cut(prometheus: Past, key: Key, at_s: float) -> Evaluation:
    """Return an evaluation that knows what Prometheus knew at a moment."""
    whole, _, _ = replayed(prometheus, key)
    evaluation = Evaluation(hurried(), PERIOD_S)
    for at, events, bad in whole.series(key).samples():
        if at <= at_s:
            evaluation.series(key).add(at, events, bad)
    return evaluation


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda one: f"{one.route}-{one.kind}")
def test_every_recorded_share_is_the_same(prometheus: Past, objective: Objective) -> None:
    key = Key(objective.route, objective.kind)
    compared = 0
    for window_s in hurried().windows_s:
        recorded = samples(prometheus, ratio_name(window_s)).get(key, [])
        for at_s, share in recorded:
            ours = cut(prometheus, key, at_s).seen(at_s, objective).ratio(window_s)
            assert ours == pytest.approx(share, rel=1e-9, abs=1e-12), (window_s, at_s)
            compared += 1
    if objective.route == "quiet":
        assert compared == 0  # without events there is no share, here as there
    else:
        assert compared > 100


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda one: f"{one.route}-{one.kind}")
def test_every_alert_is_pending_and_fires_at_the_same_moments(
    prometheus: Past, objective: Objective
) -> None:
    key = Key(objective.route, objective.kind)
    budget = samples(prometheus, "steadyhand:objective_budget:ratio")[key]
    theirs = {
        (one["metric"]["alertname"], one["metric"]["alertstate"], float(at))
        for one in prometheus.samples("ALERTS")
        if Key(one["metric"]["route"], one["metric"]["objective"]) == key
        for at, _ in one["values"]
    }
    whole, _, _ = replayed(prometheus, key)
    everything = whole.series(key).samples()
    stepped = Evaluation(hurried(), PERIOD_S)
    ours = set()
    moments = [at for at, _ in budget]  # it is recorded at each evaluation
    for before_s, now_s in pairwise([float("-inf"), *moments]):
        for at, events, bad in everything:
            if before_s < at <= now_s:
                stepped.series(key).add(at, events, bad)
        for alert in stepped.judge(now_s, [objective]):
            if alert.name != "SteadyhandBudgetSpent":  # what is left is a gauge there
                ours.add((alert.name, alert.state, now_s))
    assert ours == theirs
    if objective.route == "support":
        assert {name for name, state, _ in ours if state == "firing"} >= {"SteadyhandBudgetBurns"}
