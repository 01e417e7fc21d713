"""The metrics of objectives and of cost. Pure; see ``names.py``."""

from typing import Final

from steadyhand.telemetry.metric import Metric

LABELS: Final = ("route", "objective")

EVENTS = Metric(
    "steadyhand_objective_events_total",
    "counter",
    "Requests, or for grounded sampled answers, that count for an objective of their route: "
    "availability, in_time, latency, answered, grounded, cost.",
    LABELS,
)
BAD = Metric(
    "steadyhand_objective_bad_events_total", "counter", "Those of them that missed it.", LABELS
)
TARGET = Metric(
    "steadyhand_objective_target_ratio", "gauge", "The share that has to be good.", LABELS
)
LEFT = Metric(
    "steadyhand_objective_budget_left_ratio",
    "gauge",
    "Part of the period's error budget that is left; below 0 if more was spent. Absent while "
    "nothing was counted.",
    LABELS,
)
COST = Metric(
    "steadyhand_cost_usd_total",
    "counter",
    "What tokens cost, of models with a price in the workspace; hedges and late answers included.",
    ("tenant", "route", "provider", "model"),
)
KEEP_FAILURES = Metric(
    "steadyhand_objective_keep_failures_total",
    "counter",
    "Times that counts could not be written to the database; they wait in memory.",
)

METRICS = (EVENTS, BAD, TARGET, LEFT, COST, KEEP_FAILURES)
