"""The shipped alert rules: sound to Prometheus's own tool, complete, about metrics that exist."""

import re
import subprocess

import pytest

from tests.support.prometheus import RULES, alerts, program
from tests.support.tree import ROOT

ON_CALL = ROOT / "docs" / "operations" / "on-call.md"
TESTS = RULES.with_name("steadyhand.rules.test.yaml")


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program("promtool"), *arguments],
        cwd=RULES.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_promtool_finds_nothing_wrong() -> None:
    checked = promtool("check", "rules", "--lint=all", "--lint-fatal", RULES.name)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(alerts())} rules found" in checked.stdout


def test_every_alert_fires_when_it_should_and_a_healthy_hour_is_quiet() -> None:
    tested = promtool("test", "rules", TESTS.name)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_a_rule_that_never_fires_would_be_noticed(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("rules")
    text = RULES.read_text(encoding="utf-8")
    (folder / RULES.name).write_text(text.replace('{state="open"}', '{state="opened"}'))
    (folder / TESTS.name).write_text(TESTS.read_text(encoding="utf-8"))
    assert promtool("test", "rules", str(folder / TESTS.name)).returncode != 0


def test_rules_are_about_metrics_that_exist() -> None:
    reference = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    known = set(re.findall(r"(?m)^\| `(steadyhand_\w+)`", reference))
    known |= {f"{name}_count" for name in known}
    named = set(re.findall(r"\bsteadyhand_\w+", RULES.read_text(encoding="utf-8")))
    assert named - known == set()


@pytest.mark.parametrize("alert", alerts())
def test_an_alert_says_who_is_wanted_and_where_its_runbook_is(alert: str) -> None:
    _, _, rest = RULES.read_text(encoding="utf-8").partition(f"- alert: {alert}\n")
    rule = rest.partition("- alert: ")[0]
    assert re.search(r"severity: (page|ticket)\b", rule)
    assert f"runbook: docs/operations/on-call.md#{alert.lower()}" in rule
    assert re.search(rf"(?m)^### {alert}$", ON_CALL.read_text(encoding="utf-8"))
    assert f'alertname="{alert}"' in TESTS.read_text(encoding="utf-8")
