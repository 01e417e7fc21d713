"""The rules, evaluated here."""

from collections.abc import Callable, Iterator

import pytest

from steadyhand.objectives.evaluation import Alert, Evaluation, budget_left
from steadyhand.objectives.model import Key, Kind, Objective
from steadyhand.objectives.rules import Seen, rule_set
from steadyhand.objectives.series import Counted
from steadyhand.objectives.windows import MONTH_S

EACH_S = 15
KEY = Key("support", "availability")
OBJECTIVE = Objective("support", "availability", 0.999)


def run(
    bad_share: Callable[[int], float],
    until_s: int,
    *,
    per_s: float = 10.0,
    objective: Objective = OBJECTIVE,
) -> Iterator[tuple[int, list[Alert]]]:
    """Yield each moment and what holds then; ``bad_share`` tells how many are bad when."""
    evaluation = Evaluation(rule_set(MONTH_S, EACH_S), MONTH_S)
    events = bad = 0.0
    key = Key(objective.route, objective.kind)
    for now_s in range(0, until_s, EACH_S):
        alerts = evaluation.step(now_s, [objective], {key: Counted(events, bad)})
        yield now_s, list(alerts)
        events += per_s * EACH_S
        bad += per_s * EACH_S * bad_share(now_s)


def firing(alerts: list[Alert]) -> set[str]:
    return {alert.name for alert in alerts if alert.state == "firing"}


def test_a_healthy_day_is_quiet() -> None:
    assert not any(alerts for _, alerts in run(lambda _: 0.0005, 86_400))


def test_an_outage_pages_within_two_minutes_and_ends_when_it_does() -> None:
    began_s, ended_s = 7_200, 7_800
    history = dict(run(lambda now_s: float(began_s <= now_s < ended_s), 12_000))
    pages = [
        now_s for now_s, alerts in history.items() if "SteadyhandBudgetBurns" in firing(alerts)
    ]
    assert began_s + 30 <= pages[0] <= began_s + 150
    assert ended_s < pages[-1] <= ended_s + 2_000  # thirty minutes' window is the last to forget
    pending = [
        alert for alert in history[pages[0] - EACH_S] if alert.name == "SteadyhandBudgetBurns"
    ]
    assert [alert.state for alert in pending] == ["pending"]
    fired = next(one for one in history[pages[0]] if one.name == "SteadyhandBudgetBurns")
    assert fired.key == KEY
    assert fired.severity == "page"
    assert "Route support" in fired.summary
    assert "%" in fired.summary
    assert fired.runbook == "docs/operations/on-call.md#steadyhandbudgetburns"


def test_a_slow_leak_is_a_ticket() -> None:
    last: list[Alert] = []
    for _, last in run(lambda _: 0.004, 86_400):
        assert "SteadyhandBudgetBurns" not in firing(last)
    assert "SteadyhandBudgetBurnsSlowly" in firing(last)
    assert "SteadyhandBudgetSpent" in firing(last)


def test_few_requests_that_fail_are_seen_although_no_window_is_ever_full() -> None:
    """Four an hour, one in four bad, with long pauses: the short windows are mostly empty."""
    evaluation = Evaluation(rule_set(MONTH_S, EACH_S), MONTH_S)
    events = bad = 0.0
    fired: set[str] = set()
    for now_s in range(0, 2 * 86_400, EACH_S):
        if now_s % 900 == 0:
            events += 1
            bad += now_s % 3_600 == 0
        fired |= firing(list(evaluation.step(now_s, [OBJECTIVE], {KEY: Counted(events, bad)})))
    assert "SteadyhandFewAreBad" in fired


def test_few_good_requests_are_quiet() -> None:
    alerts = [alert for _, alerts in run(lambda _: 0.0, 86_400, per_s=0.001) for alert in alerts]
    assert alerts == []


@pytest.mark.parametrize(("target", "share"), [(0.9, 0.9), (0.5, 0.95)])
def test_a_lax_objective_pages_in_an_outage(target: float, share: float) -> None:
    lax = Objective("support", "answered", target)
    assert any(
        "SteadyhandBudgetBurns" in firing(alerts)
        for _, alerts in run(lambda _: share, 7_200, objective=lax)
    )


def test_an_objective_that_is_gone_is_forgotten() -> None:
    evaluation = Evaluation(rule_set(MONTH_S, EACH_S), MONTH_S)
    for number in range(20):
        evaluation.step(number * 15, [OBJECTIVE], {KEY: Counted(number * 100, number * 100)})
    assert evaluation.alerts
    assert not evaluation.step(300, [], {})
    assert len(evaluation.series(KEY)) == 0


def test_without_events_nothing_is_left_and_nothing_is_spent() -> None:
    assert budget_left(Counted(0, 0), 0.001) is None
    assert budget_left(Counted(10_000, 10), 0.001) == pytest.approx(0)
    assert budget_left(Counted(10_000, 30), 0.001) == pytest.approx(-2)


def test_the_first_bad_request_of_a_route_does_not_spend_a_months_budget() -> None:
    assert budget_left(Counted(2, 1), 0.001) == pytest.approx(0.8)
    assert budget_left(Counted(6, 6), 0.001) == pytest.approx(-0.2)


@pytest.mark.parametrize("kind", ["availability", "grounded"])
def test_every_rule_says_itself_in_promql_and_where_its_runbook_is(kind: Kind) -> None:
    rules = rule_set(MONTH_S, EACH_S)
    assert len({rule.name for rule in rules.alerts}) == len(rules.alerts) == 5
    nothing = Seen(lambda _: None, 0.001, None)
    for rule in rules.alerts:
        assert rule.value(nothing) is None
        assert rule.runbook.endswith(f"#{rule.name.lower()}")
        assert "{" not in rule.summary.format(route="support", objective=kind, value="1")
