"""The rules: what is recorded, and when somebody is told. Pure.

Each says itself in PromQL, for a Prometheus, and evaluates itself on what was counted here;
``tests/integration/monitoring/test_objective_rules.py`` holds the two together.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from steadyhand.objectives.series import Counted
from steadyhand.objectives.windows import (
    CERTAIN,
    COUNT_FACTOR,
    COUNT_LEAST,
    Burn,
    Severity,
    burns,
    count_windows,
    told,
    windows_s,
)

BY: Final = "sum by (route, objective)"
BUDGET: Final = "steadyhand:objective_budget:ratio"
RATIO: Final = "steadyhand:objective_bad:ratio_rate{window}"
BAD: Final = "steadyhand_objective_bad_events_total"
EVENTS: Final = "steadyhand_objective_events_total"
TARGET: Final = "steadyhand_objective_target_ratio"
LEFT: Final = "steadyhand_objective_budget_left_ratio"

FEW: Final = 10
"""Requests in a short window below which its share says little; then they are counted instead."""
HOLD_S: Final = {"page": 30, "ticket": 300}
"""How long a rule has to hold before somebody is told."""
RUNBOOK: Final = "docs/operations/on-call.md"


class Seen(NamedTuple):
    """What is known of one objective at one moment.

    Attributes:
        increase: Window in seconds → what was counted in it, ``None`` if that is not known.
        budget_ratio: The share that may be bad.
        left_ratio: Part of the period's budget that is left; below 0 if more was spent than there
            is; ``None`` if nothing was counted.
    """

    increase: Callable[[int], Counted | None]
    budget_ratio: float
    left_ratio: float | None

    def ratio(self, window_s: int) -> float | None:
        """Return the share of bad events in a window; ``None`` if there were none to speak of."""
        found = self.increase(window_s)
        return None if found is None else found.ratio


class Rule(NamedTuple):
    """When somebody is told.

    Attributes:
        name: Of the alert; also of its section in the runbook.
        severity: Who is wanted.
        hold_s: How long it has to be so.
        promql: The expression.
        value: Returns the value that the alert shows while it is so, else ``None``.
        summary: With ``{route}``, ``{objective}`` and ``{value}``.
    """

    name: str
    severity: Severity
    hold_s: int
    promql: str
    value: Callable[[Seen], float | None]
    summary: str

    @property
    def runbook(self) -> str:
        """Where it is explained what to do."""
        return f"{RUNBOOK}#{self.name.lower()}"


class RuleSet(NamedTuple):
    """All rules for one period.

    Attributes:
        windows_s: Over which shares are recorded, seconds.
        alerts: In the order of the file.
    """

    windows_s: Sequence[int]
    alerts: Sequence[Rule]


def ratio_name(window_s: int) -> str:
    """Return the name of the recorded share over a window."""
    return RATIO.format(window=told(window_s))


def ratio_promql(window_s: int) -> str:
    """Return the expression of the recorded share; without events it has no value."""
    window = told(window_s)
    return f"{BY} (rate({BAD}[{window}])) / ({BY} (rate({EVENTS}[{window}])) > 0)"


def rule_set(period_s: float, scrape_s: float) -> RuleSet:
    """Return the rules for objectives over ``period_s``, sampled each ``scrape_s`` seconds."""
    pairs = burns(period_s, scrape_s)
    alerts = [
        _burning("SteadyhandBudgetBurns", "page", pairs),
        _burning("SteadyhandBudgetBurnsSlowly", "ticket", pairs),
        *(_counting(severity, pairs, window_s) for severity, window_s in count_windows(pairs)),
        _spent(),
    ]
    return RuleSet(windows_s(pairs), alerts)


def _burning(name: str, severity: Severity, pairs: Sequence[Burn]) -> Rule:
    wanted = [pair for pair in pairs if pair.severity == severity]

    def value(seen: Seen) -> float | None:
        for pair in wanted:
            most = pair.threshold_ratio(seen.budget_ratio)
            long, short = seen.ratio(pair.long_s), seen.ratio(pair.short_s)
            if long is not None and short is not None and long > most and short > most:
                return long
        return None

    return Rule(
        name,
        severity,
        HOLD_S[severity],
        " or ".join(f"({_pair_promql(pair)})" for pair in wanted),
        value,
        "Route {route}: {value} of requests miss the objective {objective}; its error budget burns "
        + ("too fast." if severity == "page" else "faster than it may."),
    )


def _pair_promql(pair: Burn) -> str:
    most = f"clamp_max({pair.factor:g} * {BUDGET}, {CERTAIN:g})"
    long, short = ratio_name(pair.long_s), ratio_name(pair.short_s)
    return f"{long} > {most} and {short} > {most}"


def _counting(severity: Severity, pairs: Sequence[Burn], window_s: int) -> Rule:
    short_s = next(pair.short_s for pair in pairs if pair.long_s == window_s)
    few = FEW * window_s / short_s
    window = told(window_s)
    bad, events = (f"{BY} (increase({name}[{window}]))" for name in (BAD, EVENTS))

    def value(seen: Seen) -> float | None:
        found = seen.increase(window_s)
        if found is None or found.events >= few:
            return None
        most = COUNT_FACTOR * seen.budget_ratio * found.events + COUNT_LEAST
        return found.bad if found.bad > most else None

    return Rule(
        "SteadyhandFewAreBad" if severity == "page" else "SteadyhandFewAreBadSlowly",
        severity,
        HOLD_S[severity],
        f"({bad} > {COUNT_FACTOR:g} * {BUDGET} * {events} + {COUNT_LEAST:g})"
        f" and ({events} < {few:g})",
        value,
        "Route {route} has few requests, and {value} of them missed the objective {objective}.",
    )


def _spent() -> Rule:
    def value(seen: Seen) -> float | None:
        return seen.left_ratio if seen.left_ratio is not None and seen.left_ratio <= 0 else None

    return Rule(
        "SteadyhandBudgetSpent",
        "ticket",
        HOLD_S["ticket"],
        f"min by (route, objective) ({LEFT}) <= 0",
        value,
        "Route {route} has spent its error budget of {objective}; rollouts there wait.",
    )
