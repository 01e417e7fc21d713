"""The metrics of traces that are sent. Pure; see ``names.py``."""

from steadyhand.telemetry.metric import Metric

SPANS = Metric(
    "steadyhand_trace_spans_total",
    "counter",
    "Spans by what came of them: exported, or rejected by a receiver that will not take them.",
    ("result",),
)
TRIES = Metric(
    "steadyhand_trace_tries_total",
    "counter",
    "Requests to the receiver of traces, by how they ended: taken, partly, waiting (sent again), "
    "refused (not sent again).",
    ("result",),
)
GIVEN_UP = Metric(
    "steadyhand_trace_entries_given_up_total",
    "counter",
    "Records and annotations that were not sent as spans: they had waited for longer than "
    "keep_days, or more than max_waiting waited.",
)
WAITING = Metric(
    "steadyhand_trace_entries_waiting",
    "gauge",
    "Records and annotations that wait to be sent as spans.",
)
LAG = Metric(
    "steadyhand_trace_lag_seconds",
    "gauge",
    "Age of the oldest record that waits to be sent as spans; 0 if none does.",
)
LAST_SUCCESS = Metric(
    "steadyhand_trace_last_success_timestamp_seconds",
    "gauge",
    "When the receiver of traces last took something, or nothing was left to send.",
)

METRICS = (SPANS, TRIES, GIVEN_UP, WAITING, LAG, LAST_SUCCESS)
