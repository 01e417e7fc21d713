"""What a status says becomes samples: each metric by its labels, few of them, unknown left out."""

import pytest

from steadyhand.telemetry import ladder_names as names
from steadyhand.telemetry.ladder_samples import MOST_REASONS, MOST_SERIES, OTHER, Sample, samples
from steadyhand.telemetry.metric import Metric
from steadyhand.telemetry.status import DeploymentStatus, HedgeStatus, Status, TierStatus
from tests.support.statuses import FULL

FAR = ("2", "far", "m", "eu")
SUPPORT = ("2", "support", "1", "cache", "-", "-", "-")


def by_series(status: Status) -> dict[tuple[Metric, tuple[str, ...]], float]:
    found = list(samples(status))
    by_key = {(metric, labels): value for metric, labels, value in found}
    assert len(by_key) == len(found), "a series is said once"
    return by_key


@pytest.mark.parametrize(
    "sample",
    [
        (names.STATUS_WRITE_FAILURES, ("2",), 1),
        (names.STATE, (*FAR, "closed"), 0),
        (names.STATE, (*FAR, "open"), 0),
        (names.STATE, (*FAR, "half_open"), 1),
        (names.SHARE, FAR, 0.25),
        (names.IN_FLIGHT, FAR, 3),
        (names.LATENCY, (*FAR, "first_content", "0.5"), 0.1),
        (names.LATENCY, (*FAR, "first_content", "0.9"), 0.2),
        (names.LATENCY, (*FAR, "first_content", "0.99"), 0.9),
        (names.DRIFT, FAR, 3.5),
        (names.DRIFTS, FAR, 2),
        (names.OPENINGS, (*FAR, "errors"), 4),
        (names.OPENINGS, (*FAR, "-"), 1),
        (names.PROBES, (*FAR, "ok"), 5),
        (names.KEPT_AWAY, (*FAR, "open"), 6),
        (names.LAST_PROOF, SUPPORT, 7),
        (names.PROVEN, SUPPORT, 1),
        (names.HEDGE_TOKENS, ("2",), 2.5),
        (names.HEDGES, ("2", "won"), 8),
        (names.HEDGES_REFUSED, ("2", "budget"), 9),
        (names.HARVESTS, ("2", "kept"), 10),
        (names.CACHE_UP, ("2", "warm", "redis"), 1),
        (names.CACHE_ENTRIES, ("2", "warm"), 11),
        (names.CACHE_BYTES, ("2", "warm"), 12),
        (names.CACHE_LOOKUPS, ("2", "warm", "fresh"), 13),
        (names.CACHE_STORES, ("2", "warm", "kept"), 14),
        (names.CACHE_EVICTIONS, ("2", "warm"), 15),
        (names.DEPENDENCY_FAILURES, ("2", "cache_redis", "timeout"), 16),
        (names.KNOWLEDGE_ENTRIES, ("2", "support"), 17),
        (names.KNOWLEDGE_LOADED, ("2", "support"), 18),
        (names.KNOWLEDGE_ANSWERS, ("2", "support", "answered"), 19),
        (names.DEPENDENCY_FAILURES, ("2", "knowledge_support", "reload"), 20),
    ],
    ids=lambda sample: " ".join((sample[0].name.removeprefix("steadyhand_"), *sample[1])),
)
def test_a_full_status_says(sample: Sample) -> None:
    metric, labels, value = sample
    assert by_series(FULL)[metric, labels] == value


def test_every_metric_is_said_with_as_many_labels_as_it_declares() -> None:
    said = by_series(FULL)
    assert {metric for metric, _ in said} | {names.STATUS_FRESH} == set(names.FROM_STATUS)
    assert all(len(labels) == len(metric.labels) for metric, labels in said)


def test_what_is_not_known_is_left_out_not_zero() -> None:
    bare = by_series(
        Status(deployments=(DeploymentStatus("far", "m"),), tiers=(TierStatus("cold"),))
    )
    said = {metric for metric, _ in bare}
    assert said.isdisjoint({names.LATENCY, names.DRIFT, names.CACHE_ENTRIES, names.CACHE_BYTES})
    whom = ("0", "far", "m", "-")
    assert [bare[names.STATE, (*whom, state)] for state in ("closed", "open", "half_open")] == [
        0
    ] * 3


def test_a_caller_that_makes_up_models_does_not_make_series_without_end() -> None:
    many = tuple(DeploymentStatus("far", f"made-up-{n}") for n in range(MOST_SERIES * 2))
    reasons = {f"reason-{n:03}": 1 for n in range(MOST_REASONS * 2)}
    status = Status(deployments=many, hedges=HedgeStatus(outcomes=reasons))
    said = by_series(status)
    assert sum(metric is names.SHARE for metric, _ in said) == MOST_SERIES
    assert sum(metric is names.HEDGES for metric, _ in said) == MOST_REASONS + 1
    assert said[names.HEDGES, ("0", OTHER)] == MOST_REASONS
