"""The metrics of rollouts. Pure; see ``names.py``."""

from steadyhand.telemetry.metric import Metric

CHANGES = Metric(
    "steadyhand_rollout_changes_total",
    "counter",
    "What became of rollouts: begun, opened, verdict (another one), stepped, promoting, promoted, "
    "rolling_back, drained, reverted, synced, rolled_back, aborting, aborted, paused, resumed, "
    "forced_promote, forced_roll_back.",
    ("change",),
)
PAGES = Metric(
    "steadyhand_rollout_pages_total",
    "counter",
    "Times that a rollout called a person, by why.",
    ("reason",),
)
FAILURES = Metric(
    "steadyhand_rollout_failures_total",
    "counter",
    "Times that a rollout could not be moved because something did not answer or refused.",
)
OPEN = Metric(
    "steadyhand_rollouts_open",
    "gauge",
    "Rollouts that are not over. Absent while the database does not answer.",
)
WAITING = Metric(
    "steadyhand_rollouts_waiting",
    "gauge",
    "1 for an open rollout whose last verdict calls a person, by why; absent for the others.",
    ("route", "environment", "reason"),
)

METRICS = (CHANGES, PAGES, FAILURES, OPEN, WAITING)
