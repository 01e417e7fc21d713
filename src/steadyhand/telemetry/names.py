"""Every metric there is: its name, type, labels and meaning. Pure; nothing is counted here.

Prometheus's conventions: base units in the name, ``_total`` on counters. Labels are bounded: names
come from the workspace, and :mod:`steadyhand.telemetry.metrics` folds what is past its limit into
``other``. ``-`` stands for a value that there is none of (an unknown route, a rung that calls no
provider). ``tenant`` is a label of three metrics only, ``process`` of those that differ by process.
"""

from collections.abc import Iterable

from steadyhand.http.refusal import CODES
from steadyhand.telemetry import (
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
from steadyhand.telemetry.metric import Metric as Metric
from steadyhand.telemetry.metric import Slot as Slot

REQUESTS = Metric(
    "steadyhand_requests_total",
    "counter",
    "Requests that named a model, by how they ended.",
    ("tenant", "route", "outcome", "reason", "rung", "status", "process"),
)
REQUEST_DURATION = Metric(
    "steadyhand_request_duration_seconds",
    "histogram",
    "Last request byte to last answer byte, of requests that reached the ladder and whose client "
    "stayed.",
    ("route", "slo", "stream"),
)
FIRST_CONTENT = Metric(
    "steadyhand_first_content_seconds",
    "histogram",
    "Last request byte to the first content of a stream.",
    ("route", "slo"),
)
LATE_ANSWERS = Metric(
    "steadyhand_late_answers_total",
    "counter",
    "Requests counted in steadyhand_request_duration_seconds that had a latency budget and "
    "missed it.",
    ("route", "slo"),
)
TRUNCATED_ANSWERS = Metric(
    "steadyhand_truncated_answers_total",
    "counter",
    "Answers that broke off after their first content, by who was answering.",
    ("route", "provider", "model", "reason"),
)
TOKENS = Metric(
    "steadyhand_tokens_total",
    "counter",
    "Tokens as the provider counted them; the directions input, input_cached, output and "
    "output_reasoning do not overlap.",
    ("tenant", "route", "provider", "model", "direction"),
)
ATTEMPTS = Metric(
    "steadyhand_attempts_total",
    "counter",
    "Rungs tried, by how each try ended; reason is ok for the one that answered. What was planned "
    "around was not tried: steadyhand_planned_around_total.",
    ("provider", "model", "rung", "reason"),
)
ATTEMPT_DURATION = Metric(
    "steadyhand_attempt_duration_seconds",
    "histogram",
    "Start to end of one try of one rung.",
    ("provider", "model", "rung"),
)

GATEWAY_UP = Metric(
    "steadyhand_gateway_up",
    "gauge",
    "1 while the gateway process lives and reports; its other gauges are absent while it is 0.",
    ("process",),
)
GATEWAY_START = Metric(
    "steadyhand_gateway_start_time_seconds",
    "gauge",
    "When the gateway process started, seconds since 1970.",
    ("process",),
)
GATEWAY_RESTARTS = Metric(
    "steadyhand_gateway_restarts_total",
    "counter",
    "Times the supervisor has started the process again: it had died, or was rolled, which is "
    "replaced by a successor that was ready.",
    ("process", "reason"),
)
ROLL_FAILURES = Metric(
    "steadyhand_gateway_roll_failures_total",
    "counter",
    "Rolling restarts that ended at this process because its successor did not get ready.",
    ("process",),
)
DRAINED = Metric(
    "steadyhand_gateway_drained_requests_total",
    "counter",
    "Requests that ended while their process was stopping: whole ones are finished, those that "
    "outlasted the drain time are cut.",
    ("process", "outcome"),
)
IN_FLIGHT = Metric(
    "steadyhand_requests_in_flight",
    "gauge",
    "Requests being answered.",
    ("process",),
)
CONNECTIONS = Metric(
    "steadyhand_client_connections",
    "gauge",
    "Client connections open.",
    ("process",),
)
HTTP_REQUESTS = Metric(
    "steadyhand_http_requests_total",
    "counter",
    "Whole HTTP requests received, health checks and unknown paths included.",
    ("process",),
)
HTTP_REFUSED = Metric(
    "steadyhand_http_refused_total",
    "counter",
    "Requests and connections refused before a handler saw them, by the code of the error that the "
    "client was sent.",
    ("process", "reason"),
)
OVERLOAD = Metric(
    "steadyhand_http_overload_refused_total",
    "counter",
    "Requests refused as overloaded, by why: loop_lag did not fit into the turns of the event "
    "loop, in_flight is over max_in_flight.",
    ("process", "reason"),
)
WRITE_PAUSES = Metric(
    "steadyhand_http_write_pauses_total",
    "counter",
    "Times an answer had to wait because its client took too little of it; the provider is not "
    "read on meanwhile.",
    ("process",),
)
FILES_EXHAUSTED = Metric(
    "steadyhand_open_files_exhausted_total",
    "counter",
    "Looks, four a second, at which the process could open no further file or socket.",
    ("process",),
)
HTTP_DISCONNECTS = Metric(
    "steadyhand_http_disconnects_total",
    "counter",
    "Clients that left before their answer had ended.",
    ("process",),
)
HANDLER_FAILURES = Metric(
    "steadyhand_handler_failures_total",
    "counter",
    "Requests answered 500 because a handler raised; a bug.",
    ("process",),
)
RELOAD_FAILURES = Metric(
    "steadyhand_snapshot_reload_failures_total",
    "counter",
    "Published snapshots that could not be served; the one before stays in force.",
    ("process",),
)
SNAPSHOT_VERSION = Metric(
    "steadyhand_snapshot_version",
    "gauge",
    "Version of the snapshot in force.",
    ("process",),
)
SNAPSHOT_COMPILED = Metric(
    "steadyhand_snapshot_compiled_timestamp_seconds",
    "gauge",
    "When the snapshot in force was compiled, seconds since 1970.",
    ("process",),
)

METRICS: dict[str, tuple[Metric, ...]] = {
    "Requests": (
        REQUESTS,
        REQUEST_DURATION,
        FIRST_CONTENT,
        LATE_ANSWERS,
        TRUNCATED_ANSWERS,
        TOKENS,
    ),
    "Attempts": (ATTEMPTS, ATTEMPT_DURATION),
    "Gateway processes": (
        GATEWAY_UP,
        GATEWAY_START,
        GATEWAY_RESTARTS,
        ROLL_FAILURES,
        DRAINED,
        IN_FLIGHT,
        CONNECTIONS,
        HTTP_REQUESTS,
        HTTP_REFUSED,
        OVERLOAD,
        WRITE_PAUSES,
        FILES_EXHAUSTED,
        HTTP_DISCONNECTS,
        HANDLER_FAILURES,
        SNAPSHOT_VERSION,
        SNAPSHOT_COMPILED,
        RELOAD_FAILURES,
    ),
    **ladder_names.CHAPTERS,
    "Beside the answers": overhead_names.METRICS,
    "Releases": release_names.METRICS,
    "Rollouts": rollout_names.METRICS,
    "Objectives and cost": objective_names.METRICS,
    "Alerts": alert_names.METRICS,
    "Traces": trace_names.METRICS,
    "Feedback": feedback_names.METRICS,
    "Samples": grounding_names.OF_GATEWAYS,
    "Grounding": grounding_names.METRICS,
    "Connections to providers": upstream_names.METRICS,
    "Record log": record_names.LOG,
    "Shipper": record_names.SHIPPER,
}
"""All metrics, by chapter of the reference."""


SLOTS = (
    Slot("started_us", GATEWAY_START, 1_000_000),
    Slot("restarts", GATEWAY_RESTARTS, label="died"),
    Slot("rolls", GATEWAY_RESTARTS, label="rolled"),
    Slot("roll_failures", ROLL_FAILURES),
    Slot("drained", DRAINED, label="finished"),
    Slot("cut", DRAINED, label="cut"),
    Slot("in_flight", IN_FLIGHT),
    Slot("connections", CONNECTIONS),
    Slot("http_requests", HTTP_REQUESTS),
    *(Slot(f"refused_{code}", HTTP_REFUSED, label=code) for code in CODES),
    Slot("write_pauses", WRITE_PAUSES),
    Slot("files_exhausted", FILES_EXHAUSTED),
    Slot("overload_lag", OVERLOAD, label="loop_lag"),
    Slot("overload_in_flight", OVERLOAD, label="in_flight"),
    Slot("disconnects", HTTP_DISCONNECTS),
    Slot("handler_failures", HANDLER_FAILURES),
    Slot("reload_failures", RELOAD_FAILURES),
    Slot("snapshot_version", SNAPSHOT_VERSION),
    Slot("snapshot_compiled_us", SNAPSHOT_COMPILED, 1_000_000),
    *record_names.SLOTS,
    *upstream_names.SLOTS,
    *grounding_names.SLOTS,
)
"""What a gateway publishes, in the board's order."""

GRID_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000)
"""Edges that every histogram has: about three to a decade."""


def edges(slo_thresholds_ms: Iterable[int]) -> tuple[int, ...]:
    """Return histogram edges in microseconds: the grid, and one at each threshold.

    With an edge at its threshold, the share of answers inside an SLO is read off a histogram
    exactly, not interpolated. Thresholds of 0 mean no SLO and are left out.
    """
    wanted = {*GRID_MS, *(threshold for threshold in slo_thresholds_ms if threshold > 0)}
    return tuple(sorted(edge * 1000 for edge in wanted))
