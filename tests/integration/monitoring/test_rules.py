"""The shipped alert rules: sound to Prometheus's own tool, complete, about metrics that exist."""

import re
import subprocess
from pathlib import Path

import pytest

from steadyhand.objectives.rule_file import rule_file
from steadyhand.objectives.rules import rule_set
from steadyhand.objectives.settings import ObjectivesSettings
from tests.support.prometheus import OBJECTIVE_RULES, RULES, alerts, program
from tests.support.tree import ROOT

ON_CALL = ROOT / "docs" / "operations" / "on-call.md"
FILES = (RULES, OBJECTIVE_RULES)
ALERTS = [(path, alert) for path in FILES for alert in alerts(path)]


def unit_tests_of(path: Path) -> Path:
    return path.with_name(path.name.replace(".rules.", ".rules.test."))


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program("promtool"), *arguments],
        cwd=RULES.parent,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.name))
def test_promtool_finds_nothing_wrong(path: Path) -> None:
    checked = promtool("check", "rules", "--lint=all", "--lint-fatal", path.name)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    rules = re.findall(r"(?m)^ +- (?:alert|record): ", path.read_text(encoding="utf-8"))
    assert f"{len(rules)} rules found" in checked.stdout


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.name))
def test_every_alert_fires_when_it_should_and_a_healthy_hour_is_quiet(path: Path) -> None:
    tested = promtool("test", "rules", unit_tests_of(path).name)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_a_rule_that_never_fires_would_be_noticed(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("rules")
    text = RULES.read_text(encoding="utf-8")
    (folder / RULES.name).write_text(text.replace('{state="open"}', '{state="opened"}'))
    tests = unit_tests_of(RULES)
    (folder / tests.name).write_text(tests.read_text(encoding="utf-8"))
    assert promtool("test", "rules", str(folder / tests.name)).returncode != 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.name))
def test_rules_are_about_metrics_that_exist(path: Path) -> None:
    reference = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    known = set(re.findall(r"(?m)^\| `(steadyhand_\w+)`", reference))
    known |= {f"{name}_count" for name in known}
    named = set(re.findall(r"\bsteadyhand_\w+", path.read_text(encoding="utf-8")))
    assert named - known == set()


@pytest.mark.parametrize(("path", "alert"), ALERTS, ids=[alert for _, alert in ALERTS])
def test_an_alert_says_who_is_wanted_and_where_its_runbook_is(path: Path, alert: str) -> None:
    _, _, rest = path.read_text(encoding="utf-8").partition(f"- alert: {alert}\n")
    rule = rest.partition("- alert: ")[0]
    assert re.search(r"severity: (page|ticket)\b", rule)
    assert f"runbook: docs/operations/on-call.md#{alert.lower()}" in rule
    assert re.search(rf"(?m)^### {alert}$", ON_CALL.read_text(encoding="utf-8"))
    tested = unit_tests_of(path).read_text(encoding="utf-8")
    assert re.search(rf"alertname(: |=\"){alert}\b", tested)


def test_the_shipped_objective_rules_are_those_of_a_month() -> None:
    told = ObjectivesSettings()
    made = rule_file(rule_set(told.period_s, told.sample_s), told.period_s, told.sample_s)
    assert OBJECTIVE_RULES.read_text(encoding="utf-8") == made


@pytest.mark.parametrize(("days", "sample_s"), [(1 / 24, 0.2), (1 / 24, 60), (7, 15), (90, 15)])
def test_rules_of_any_period_are_valid(tmp_path: Path, days: float, sample_s: float) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(rule_file(rule_set(days * 86_400, sample_s), days * 86_400, sample_s))
    checked = promtool("check", "rules", "--lint=all", "--lint-fatal", str(path))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "[0s]" not in path.read_text(encoding="utf-8")
