"""Status files as Prometheus scrapes them: of each process its own, and nothing of a bad file."""

from pathlib import Path

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from steadyhand.telemetry import ladder_names
from steadyhand.telemetry.collectors import registry, scrape
from steadyhand.telemetry.ladder_collector import StatusCollector
from steadyhand.telemetry.status import FRESH_US, DeploymentStatus, Status

NOW_US = 1_790_000_000_000_000


def put(run: Path, process: int, made_us: int, share: float) -> Path:
    path = run / f"gateway-{process}.status.json"
    deployment = DeploymentStatus("far", "m", state="closed", share=share)
    path.write_bytes(msgspec.json.encode(Status(process, 1, made_us, deployments=(deployment,))))
    return path


def scraped(run: Path) -> dict[str, dict[str, float]]:
    """Return metric → process → value, of metrics of which a process has one series here."""
    text, _ = scrape(registry([StatusCollector(run, lambda: NOW_US)]))
    return {
        family.name: {sample.labels["process"]: sample.value for sample in family.samples}
        for family in text_string_to_metric_families(text.decode())
    }


def test_each_process_speaks_for_itself(tmp_path: Path) -> None:
    put(tmp_path, 0, NOW_US, 1.0)
    put(tmp_path, 1, NOW_US - FRESH_US, 0.5)
    found = scraped(tmp_path)
    assert found["steadyhand_status_fresh"] == {"0": 1, "1": 1}
    assert found["steadyhand_deployment_share"] == {"0": 1.0, "1": 0.5}


def test_old_torn_and_foreign_files_are_unknown_and_never_healthy(tmp_path: Path) -> None:
    put(tmp_path, 0, NOW_US - FRESH_US - 1, 1.0)
    put(tmp_path, 1, NOW_US + FRESH_US + 1, 1.0)  # the clock was set back
    torn = put(tmp_path, 2, NOW_US, 1.0)
    torn.write_bytes(torn.read_bytes()[:-7])
    (tmp_path / "gateway-3.status.json").mkdir()
    put(tmp_path, 4, NOW_US, 0.75)
    found = scraped(tmp_path)
    assert found["steadyhand_status_fresh"] == {"0": 0, "1": 0, "2": 0, "3": 0, "4": 1}
    assert found["steadyhand_deployment_share"] == {"4": 0.75}


def test_every_family_is_there_before_anything_is(tmp_path: Path) -> None:
    """So that a rule on a metric of ours is not taken for a spelling mistake."""
    text, _ = scrape(registry([StatusCollector(tmp_path, lambda: NOW_US)]))
    assert all(f"# HELP {metric.name} " in text.decode() for metric in ladder_names.FROM_STATUS)
