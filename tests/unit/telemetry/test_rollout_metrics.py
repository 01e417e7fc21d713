"""What is counted of rollouts."""

from collections.abc import Sequence

from steadyhand.telemetry.rollouts import OpenRollout, RolloutMetrics


def test_changes_and_pages_are_counted_and_nothing_is_said_of_what_is_not_known() -> None:
    open_: list[Sequence[OpenRollout] | None] = [None]
    metrics = RolloutMetrics(lambda: 3, lambda: open_[0])
    for change in ("begun", "verdict", "verdict"):
        metrics.told("rollout", {"change": change})
    metrics.told("page", {"reason": "no_data"})
    metrics.told("snapshot", {"version": 1})
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in metrics.collect()
        for sample in family.samples
    }
    assert found == {
        ("steadyhand_rollout_changes_total", "begun"): 1,
        ("steadyhand_rollout_changes_total", "verdict"): 2,
        ("steadyhand_rollout_pages_total", "no_data"): 1,
        ("steadyhand_rollout_failures_total",): 3,
    }
    open_[0] = [
        OpenRollout("support", "production", "step_overdue"),
        OpenRollout("classify", "production", ""),
    ]
    gauges = {
        (sample.name, *sample.labels.values()): sample.value
        for family in metrics.collect()
        for sample in family.samples
    }
    assert gauges["steadyhand_rollouts_open",] == 2
    waits = {key: value for key, value in gauges.items() if key[0] == "steadyhand_rollouts_waiting"}
    assert waits == {("steadyhand_rollouts_waiting", "support", "production", "step_overdue"): 1}
