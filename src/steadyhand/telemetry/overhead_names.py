"""The metrics of what answers cost beside themselves. Pure; see ``names.py``."""

from steadyhand.telemetry.metric import Metric

EXTRA_TOKENS = Metric(
    "steadyhand_extra_tokens_total",
    "counter",
    "Tokens that went into no answer, by what they were spent on: hedge, harvest, drill ...; "
    "reported by the provider, or estimated by the gateway.",
    ("route", "provider", "model", "role", "direction", "counting"),
)
DRILLS = Metric(
    "steadyhand_drills_total",
    "counter",
    "Drills by how they ended; reason is ok for those that proved their rung.",
    ("route", "kind", "provider", "model", "reason"),
)

METRICS = (EXTRA_TOKENS, DRILLS)
