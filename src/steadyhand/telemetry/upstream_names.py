"""The metrics of connections to providers, summed over all providers of a gateway process. Pure.

Per provider, attempts tell the same story: ``steadyhand_attempts_total`` by provider and reason.
"""

from steadyhand.telemetry.metric import Metric, Slot

OPEN = Metric(
    "steadyhand_upstream_connections",
    "gauge",
    "Connections to providers, by state: open, or opening (name, socket and TLS).",
    ("process", "state"),
)
OPENED = Metric(
    "steadyhand_upstream_connections_opened_total",
    "counter",
    "Connections to providers that came to stand.",
    ("process",),
)
REUSED = Metric(
    "steadyhand_upstream_connections_reused_total",
    "counter",
    "Requests sent on a connection that was kept from an earlier one.",
    ("process",),
)
STALE = Metric(
    "steadyhand_upstream_stale_connections_total",
    "counter",
    "Kept connections that the provider had closed, or talked on unasked: idle was seen at once, "
    "probe in the moment of reuse, retry only after the request was sent, which was sent again.",
    ("process", "found"),
)
CONNECT_FAILURES = Metric(
    "steadyhand_upstream_connect_failures_total",
    "counter",
    "Connections that never stood, by reason: dns_failed, connect_failed, connect_timeout or "
    "tls_failed.",
    ("process", "reason"),
)
WAITING = Metric(
    "steadyhand_upstream_waiting",
    "gauge",
    "Requests that wait for a connection to a provider.",
    ("process",),
)
WAITS_GIVEN_UP = Metric(
    "steadyhand_upstream_waits_given_up_total",
    "counter",
    "Requests whose time passed while they waited for a connection.",
    ("process",),
)
LOOKUPS = Metric(
    "steadyhand_upstream_name_lookups_total",
    "counter",
    "Look-ups of providers' names: begun; failed found nothing; outlived made a request go on "
    "with the addresses of an earlier one, as the new one failed or was slow.",
    ("process", "event"),
)

METRICS = (OPEN, OPENED, REUSED, STALE, CONNECT_FAILURES, WAITING, WAITS_GIVEN_UP, LOOKUPS)

SLOTS = (
    Slot("upstream_open", OPEN, label="open"),
    Slot("upstream_opening", OPEN, label="opening"),
    Slot("upstream_opened", OPENED),
    Slot("upstream_reused", REUSED),
    Slot("upstream_stale_idle", STALE, label="idle"),
    Slot("upstream_stale_probed", STALE, label="probe"),
    Slot("upstream_retried", STALE, label="retry"),
    Slot("upstream_dns_failed", CONNECT_FAILURES, label="dns_failed"),
    Slot("upstream_connect_failed", CONNECT_FAILURES, label="connect_failed"),
    Slot("upstream_connect_timed_out", CONNECT_FAILURES, label="connect_timeout"),
    Slot("upstream_tls_failed", CONNECT_FAILURES, label="tls_failed"),
    Slot("upstream_waiting", WAITING),
    Slot("upstream_given_up", WAITS_GIVEN_UP),
    Slot("upstream_lookups", LOOKUPS, label="begun"),
    Slot("upstream_lookups_failed", LOOKUPS, label="failed"),
    Slot("upstream_lookups_outlived", LOOKUPS, label="outlived"),
)
"""What a gateway publishes of them: ``upstream_`` and the name of the number in its traffic."""
