"""Metric names keep Prometheus's conventions and ours."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.telemetry import (
    alert_names,
    feedback_names,
    grounding_names,
    ladder_names,
    names,
    objective_names,
    overhead_names,
    record_names,
    release_names,
    rollout_names,
    trace_names,
    upstream_names,
)
from steadyhand.telemetry.names import GRID_MS, METRICS, SLOTS, Metric, edges

ALL = [metric for chapter in METRICS.values() for metric in chapter]
DECLARED = [
    value
    for module in (
        names,
        alert_names,
        feedback_names,
        grounding_names,
        ladder_names,
        objective_names,
        overhead_names,
        record_names,
        release_names,
        rollout_names,
        trace_names,
        upstream_names,
    )
    for value in vars(module).values()
    if isinstance(value, Metric)
]


def test_every_metric_is_in_one_chapter() -> None:
    assert sorted(metric.name for metric in ALL) == sorted(metric.name for metric in DECLARED)
    assert len({metric.name for metric in ALL}) == len(ALL)


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.name)
def test_a_metric_is_named_by_the_conventions(metric: Metric) -> None:
    assert re.fullmatch(r"steadyhand_[a-z]+(_[a-z]+)*", metric.name)
    assert (metric.type == "counter") == metric.name.endswith("_total")
    assert metric.type != "histogram" or metric.name.endswith(("_seconds", "_bytes"))
    assert metric.meaning.endswith(".")
    assert not re.search(r"_(ms|us|millis|micros)(_|$)", metric.name)


def test_tenant_and_process_are_labels_only_where_stated() -> None:
    by_tenant = {metric.name for metric in ALL if "tenant" in metric.labels}
    expected = {"steadyhand_requests_total", "steadyhand_tokens_total", "steadyhand_cost_usd_total"}
    assert by_tenant == expected
    by_process = {metric.name for metric in ALL if "process" in metric.labels}
    own = ("Gateway processes", "Connections to providers", "Record log", "Samples")
    gateway = [metric for chapter in own for metric in METRICS[chapter]]
    gateway += ladder_names.FROM_STATUS
    assert by_process == {"steadyhand_requests_total", *(metric.name for metric in gateway)}


def test_every_slot_feeds_a_metric_of_its_process() -> None:
    assert len({slot.name for slot in SLOTS}) == len(SLOTS)
    for slot in SLOTS:
        assert slot.metric.labels[0] == "process"
        assert len(slot.metric.labels) == (1 if slot.label is None else 2)
        assert (slot.per_unit == 1_000_000) == slot.name.endswith("_us")


@given(st.lists(st.integers(-5, 600_000)))
def test_edges_are_the_grid_and_every_threshold_in_order(thresholds: list[int]) -> None:
    found = edges(thresholds)
    assert list(found) == sorted(set(found))
    assert set(found) == {edge * 1000 for edge in (*GRID_MS, *thresholds) if edge > 0}
