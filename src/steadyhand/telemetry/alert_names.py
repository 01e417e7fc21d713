"""The metrics of alerts. Pure; see ``names.py``."""

from steadyhand.telemetry.metric import Metric

FIRING = Metric(
    "steadyhand_alerts_firing",
    "gauge",
    "Alerts that fire by the rules that are evaluated here.",
    ("severity",),
)
MESSAGES = Metric(
    "steadyhand_alert_messages_total",
    "counter",
    "Messages to webhooks: delivered, failed (a try; it is sent again), given_up after a day, "
    "dropped because too many wait.",
    ("webhook", "result"),
)
WAITING = Metric(
    "steadyhand_alert_messages_waiting",
    "gauge",
    "Messages that wait for a webhook. Absent while the database does not answer.",
    ("webhook",),
)
OLDEST = Metric(
    "steadyhand_alert_messages_oldest_seconds",
    "gauge",
    "Age of the oldest message that waits for a webhook; 0 if none does.",
    ("webhook",),
)
HINTS = Metric(
    "steadyhand_alert_hints_total",
    "counter",
    "Alerts that an Alertmanager told, by what came of them: looked, no_rollout, no_route, known, "
    "over.",
    ("outcome",),
)

METRICS = (FIRING, MESSAGES, WAITING, OLDEST, HINTS)
