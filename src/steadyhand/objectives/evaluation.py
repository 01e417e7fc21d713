"""The rules evaluated here, for those without a Prometheus. Pure: the clock is passed in.

A rule that holds is *pending* until it has held for its time, then it *fires*; when it does not
hold any more it is over, as in Prometheus.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Final, Literal, NamedTuple

from steadyhand.objectives.model import Key, Objective
from steadyhand.objectives.rules import Rule, RuleSet, Seen
from steadyhand.objectives.series import Counted, Series

State = Literal["pending", "firing"]
ANSWERS: Final = frozenset({"SteadyhandBudgetBurns", "SteadyhandBudgetBurnsSlowly"})
LEAST_BUDGET: Final = 5.0
_PERCENT: Final = 100


class Alert(NamedTuple):
    """A rule that holds.

    Attributes:
        name: Of the rule.
        severity: ``page`` or ``ticket``.
        key: Of the objective.
        state: Whether it has held for its time.
        since_s: Since when it holds, seconds since 1970.
        value: What the rule saw.
        summary: The same in words.
        runbook: What to do.
    """

    name: str
    severity: str
    key: Key
    state: State
    since_s: float
    value: float
    summary: str
    runbook: str


class Evaluation:
    """What each objective's counters were, and which rules hold since when."""

    def __init__(self, rules: RuleSet, period_s: float) -> None:
        """Take the rules; nothing is known yet."""
        self.rules = rules
        self.period_s = period_s
        self.alerts: Sequence[Alert] = ()
        self._series: dict[Key, Series] = {}
        self._since: dict[tuple[str, Key], float] = {}

    def series(self, key: Key) -> Series:
        """Return the samples of an objective."""
        found = self._series.get(key)
        if found is None:
            found = self._series[key] = Series(self.period_s)
        return found

    def step(
        self, now_s: float, objectives: Sequence[Objective], counts: Mapping[Key, Counted]
    ) -> Sequence[Alert]:
        """Take the counters of this moment; return every alert that is pending or fires."""
        wanted = {Key(one.route, one.kind) for one in objectives}
        for gone in self._series.keys() - wanted:
            del self._series[gone]
        for key in wanted:
            self.series(key).add(now_s, *counts.get(key, Counted(0.0, 0.0)))
        return self.judge(now_s, objectives)

    def judge(self, now_s: float, objectives: Sequence[Objective]) -> Sequence[Alert]:
        """Return every alert that is pending or fires, by the samples that there are."""
        found = [
            alert
            for objective in objectives
            for alert in self._judged(now_s, objective, self.seen(now_s, objective))
        ]
        self._since = {(alert.name, alert.key): alert.since_s for alert in found}
        self.alerts = found
        return found

    def seen(self, now_s: float, objective: Objective) -> Seen:
        """Return what the rules look at."""
        series = self.series(Key(objective.route, objective.kind))
        increase = cache(partial(series.increase, now_s))
        left = budget_left(series.since(now_s, self.period_s), objective.budget_ratio)
        return Seen(increase, objective.budget_ratio, left)

    def _judged(self, now_s: float, objective: Objective, seen: Seen) -> Iterator[Alert]:
        key = Key(objective.route, objective.kind)
        for rule in self.rules.alerts:
            value = rule.value(seen)
            if value is None:
                continue
            since_s = self._since.get((rule.name, key), now_s)
            state: State = "firing" if now_s - since_s >= rule.hold_s else "pending"
            yield Alert(
                rule.name,
                rule.severity,
                key,
                state,
                since_s,
                value,
                _summary(rule, key, value),
                rule.runbook,
            )


def budget_left(counted: Counted, budget_ratio: float) -> float | None:
    """Return the part of the error budget that is left; ``None`` if nothing was counted.

    The budget is the share that may be bad of what has been counted so far in the period, and at
    least :data:`LEAST_BUDGET` events: the second request of a new route does not spend a month's.
    """
    if counted.events <= 0:
        return None
    return 1.0 - counted.bad / max(counted.events * budget_ratio, LEAST_BUDGET)


def _summary(rule: Rule, key: Key, value: float) -> str:
    shown = f"{value * _PERCENT:.4g}%" if rule.name in ANSWERS else f"{value:.0f}"
    return rule.summary.format(route=key.route, objective=key.kind, value=shown)
