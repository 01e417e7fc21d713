"""The shipped configuration of Alertmanager: sound to its own tool, and going where it should."""

import subprocess

import pytest

from tests.support.alertmanager import CONFIGURATION
from tests.support.prometheus import program


def amtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program("amtool"), *arguments],
        cwd=CONFIGURATION.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_amtool_finds_nothing_wrong() -> None:
    checked = amtool("check-config", CONFIGURATION.name)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        (
            ("alertname=SteadyhandBudgetBurns", "severity=page", "route=support"),
            "steadyhand,people",
        ),
        (
            ("alertname=SteadyhandBudgetSpent", "severity=ticket", "route=support"),
            "steadyhand,people",
        ),
        (("alertname=SteadyhandGatewayDown", "severity=page"), "people"),
        (("alertname=SteadyhandRecordsLate", "severity=ticket"), "people"),
        (("alertname=OfSomebodyElse",), "people"),
        (("alertname=OfSomebodyElse", "route=support"), "people"),
    ],
)
def test_each_alert_goes_where_it_should(labels: tuple[str, ...], receivers: str) -> None:
    routed = amtool("config", "routes", "test", f"--config.file={CONFIGURATION.name}", *labels)
    assert (routed.returncode, routed.stdout.strip()) == (0, receivers), routed.stderr
