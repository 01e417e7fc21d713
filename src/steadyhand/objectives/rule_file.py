"""The rules as a file for Prometheus. Pure."""

from steadyhand.objectives.rules import BUDGET, TARGET, Rule, RuleSet, ratio_name, ratio_promql
from steadyhand.objectives.windows import told

_TOP = """\
# Made by `steadyhand objectives rules`; {about}.
# Recording and alert rules for Prometheus 2.42 or later: add this file under `rule_files`. The
# objectives themselves are metrics, so a route or a target that changes needs no other rules;
# another period does. Each alert has a section of its name in docs/operations/on-call.md.
groups:
  - name: steadyhand-objectives
    rules:
"""
_VALUES = {
    "SteadyhandBudgetBurns": "humanizePercentage",
    "SteadyhandBudgetBurnsSlowly": "humanizePercentage",
}


def rule_file(rules: RuleSet, period_s: float, scrape_s: float) -> str:
    """Return the rules in Prometheus's YAML."""
    about = f"for a period of {told(round(period_s))}, scraped each {scrape_s:g} s"
    parts = [_TOP.format(about=about)]
    budget = f"1 - max by (route, objective) ({TARGET})"
    parts.append(_recorded(BUDGET, budget))
    parts += [_recorded(ratio_name(window), ratio_promql(window)) for window in rules.windows_s]
    parts += [_alert(rule) for rule in rules.alerts]
    return "".join(parts)


def _recorded(name: str, promql: str) -> str:
    return f"      - record: {name}\n        expr: {promql}\n"


def _alert(rule: Rule) -> str:
    shown = _VALUES.get(rule.name, 'printf "%.0f"')
    summary = rule.summary.format(
        route="{{ $labels.route }}",
        objective="{{ $labels.objective }}",
        value=f"{{{{ $value | {shown} }}}}",
    )
    return (
        f"      - alert: {rule.name}\n"
        "        expr: |\n"
        f"          {rule.promql}\n"
        f"        for: {told(rule.hold_s)}\n"
        f"        labels: {{severity: {rule.severity}}}\n"
        "        annotations:\n"
        f"          summary: '{summary}'\n"
        f"          runbook: {rule.runbook}\n"
    )
