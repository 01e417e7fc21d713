"""What is counted of releases."""

from msgspec.structs import replace

from steadyhand.records.record import DRILL
from steadyhand.telemetry.releases import ReleaseMetrics
from tests.support.records import RECORD


def test_requests_of_releases_and_changes_are_counted() -> None:
    metrics = ReleaseMetrics(lambda: 3)
    stable = replace(RECORD, channel="production", route="support", arm="stable")
    candidate = replace(stable, arm="candidate", outcome="failed")
    metrics.consume([stable, stable, candidate, replace(stable, wire=DRILL), RECORD])
    metrics.changed("promote")
    metrics.changed("promote")
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in metrics.collect()
        for sample in family.samples
        if sample.name.endswith(("_total", "_force"))
    }
    assert samples == {
        (
            "steadyhand_released_requests_total",
            "production",
            "support",
            "stable",
            RECORD.outcome,
        ): 2,
        ("steadyhand_released_requests_total", "production", "support", "candidate", "failed"): 1,
        ("steadyhand_registry_changes_total", "promote"): 2,
        ("steadyhand_releases_not_in_force",): 3,
    }
    assert list(metrics.describe()) == []


def test_the_age_of_what_is_followed_is_there_only_where_something_is() -> None:
    def age(metrics: ReleaseMetrics) -> list[float]:
        return [
            sample.value
            for family in metrics.collect()
            for sample in family.samples
            if sample.name == "steadyhand_followed_age_seconds"
        ]

    assert age(ReleaseMetrics(lambda: 0)) == []
    assert age(ReleaseMetrics(lambda: 0, lambda: 12.5)) == [12.5]


def test_looks_at_the_remote_are_counted() -> None:
    metrics = ReleaseMetrics(lambda: 0)
    metrics.synced("ok")
    metrics.synced("ok")
    found = {
        sample.labels["outcome"]: sample.value
        for family in metrics.collect()
        for sample in family.samples
        if sample.name == "steadyhand_registry_syncs_total"
    }
    assert found == {"ok": 2.0}
