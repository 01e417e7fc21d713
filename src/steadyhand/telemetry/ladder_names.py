"""The metrics of the ladder: health, hedges, rungs, cache, knowledge. Pure.

Most are read from the gateways' status files at the moment of a scrape and carry the process whose
view they are: each process learns by itself. What is counted of records carries none.
"""

from steadyhand.telemetry.metric import Metric

_DEPLOYMENT = ("process", "provider", "model", "region")
_RUNG = ("process", "route", "rung", "kind", "provider", "model", "region")

STATUS_FRESH = Metric(
    "steadyhand_status_fresh",
    "gauge",
    "1 while the status file of the gateway process is readable and new; while it is 0, what this "
    "chapter and the next ones say of the process is absent, not healthy.",
    ("process",),
)
STATUS_WRITE_FAILURES = Metric(
    "steadyhand_status_write_failures_total",
    "counter",
    "Status files that the gateway process could not write; answers do not wait for them.",
    ("process",),
)

STATE = Metric(
    "steadyhand_deployment_state",
    "gauge",
    "1 for the state that the deployment's circuit breaker is in: closed, open or half_open; 0 for "
    "the others.",
    (*_DEPLOYMENT, "state"),
)
SHARE = Metric(
    "steadyhand_deployment_share",
    "gauge",
    "Part of the requests that the deployment is given, 0 to 1; below 1 after errors or drift.",
    _DEPLOYMENT,
)
IN_FLIGHT = Metric(
    "steadyhand_deployment_in_flight",
    "gauge",
    "Requests that the deployment is answering.",
    _DEPLOYMENT,
)
LATENCY = Metric(
    "steadyhand_deployment_latency_seconds",
    "gauge",
    "Learned latency of the deployment, to the first content of a stream or of a whole answer; "
    "absent until something was learned.",
    (*_DEPLOYMENT, "measure", "quantile"),
)
DRIFT = Metric(
    "steadyhand_latency_drift_ratio",
    "gauge",
    "Latency of the deployment now over its reference window: 1 is as it was, 3 three times as "
    "slow; absent while unknown.",
    _DEPLOYMENT,
)
DRIFTS = Metric(
    "steadyhand_latency_drifts_total",
    "counter",
    "Drifts of latency that were seen.",
    _DEPLOYMENT,
)
OPENINGS = Metric(
    "steadyhand_breaker_openings_total",
    "counter",
    "Times the deployment's circuit breaker opened, by reason.",
    (*_DEPLOYMENT, "reason"),
)
PROBES = Metric(
    "steadyhand_breaker_probes_total",
    "counter",
    "Requests let through to see whether the deployment is well again, by how they ended.",
    (*_DEPLOYMENT, "outcome"),
)
KEPT_AWAY = Metric(
    "steadyhand_deployment_kept_away_total",
    "counter",
    "Requests kept from the deployment, by why: its breaker is open, or its share is spent.",
    (*_DEPLOYMENT, "reason"),
)

HEDGES = Metric(
    "steadyhand_hedges_total",
    "counter",
    "Second attempts started beside a slow first one, by how they ended.",
    ("process", "outcome"),
)
HEDGES_REFUSED = Metric(
    "steadyhand_hedges_refused_total",
    "counter",
    "Hedges that were due and not started, by why.",
    ("process", "reason"),
)
HEDGE_TOKENS = Metric(
    "steadyhand_hedge_budget_tokens",
    "gauge",
    "Hedges and retries that the shared budget allows now.",
    ("process",),
)
HARVESTS = Metric(
    "steadyhand_harvests_total",
    "counter",
    "Live answers that came too late for their client, by what became of them.",
    ("process", "outcome"),
)

LAST_PROOF = Metric(
    "steadyhand_rung_last_proof_timestamp_seconds",
    "gauge",
    "When a drill or a real request last showed that the rung answers, seconds since 1970; 0 for "
    "never.",
    _RUNG,
)
PROVEN = Metric(
    "steadyhand_rung_proven",
    "gauge",
    "1 while the last proof of the rung is within its window; 0 is planned around.",
    _RUNG,
)
PLANNED_AROUND = Metric(
    "steadyhand_planned_around_total",
    "counter",
    "Rungs that a request could have tried and did not, by why.",
    ("route", "kind", "provider", "model", "reason"),
)

CACHE_UP = Metric(
    "steadyhand_cache_tier_up",
    "gauge",
    "1 while the tier of the cache is used; 0 while its backend fails and it is passed over.",
    ("process", "tier", "backend"),
)
CACHE_LOOKUPS = Metric(
    "steadyhand_cache_lookups_total",
    "counter",
    "Looks into a tier of the cache, by how they ended.",
    ("process", "tier", "outcome"),
)
CACHE_STORES = Metric(
    "steadyhand_cache_stores_total",
    "counter",
    "Answers offered to a tier of the cache, by what became of them.",
    ("process", "tier", "outcome"),
)
CACHE_EVICTIONS = Metric(
    "steadyhand_cache_evictions_total",
    "counter",
    "Entries thrown out of a tier of the cache to make room.",
    ("process", "tier"),
)
CACHE_ENTRIES = Metric(
    "steadyhand_cache_entries",
    "gauge",
    "Entries in a tier of the cache; absent where the backend does not say.",
    ("process", "tier"),
)
CACHE_BYTES = Metric(
    "steadyhand_cache_bytes",
    "gauge",
    "Size of the entries in a tier of the cache; absent where the backend does not say.",
    ("process", "tier"),
)
DEPENDENCY_FAILURES = Metric(
    "steadyhand_dependency_failures_total",
    "counter",
    "Calls to what a stored rung depends on that failed, by what and why; the ladder went on.",
    ("process", "dependency", "reason"),
)

KNOWLEDGE_ANSWERS = Metric(
    "steadyhand_knowledge_answers_total",
    "counter",
    "Questions put to a collection of curated answers, by what came of them.",
    ("process", "collection", "outcome"),
)
KNOWLEDGE_ENTRIES = Metric(
    "steadyhand_knowledge_entries",
    "gauge",
    "Curated answers in force.",
    ("process", "collection"),
)
KNOWLEDGE_LOADED = Metric(
    "steadyhand_knowledge_loaded_timestamp_seconds",
    "gauge",
    "When the curated answers in force were taken over, seconds since 1970.",
    ("process", "collection"),
)

HEALTH = (
    STATUS_FRESH,
    STATUS_WRITE_FAILURES,
    STATE,
    SHARE,
    IN_FLIGHT,
    LATENCY,
    DRIFT,
    DRIFTS,
    OPENINGS,
    PROBES,
    KEPT_AWAY,
)
HEDGING = (HEDGES, HEDGES_REFUSED, HEDGE_TOKENS, HARVESTS)
RUNGS = (LAST_PROOF, PROVEN)
STORED = (
    CACHE_UP,
    CACHE_LOOKUPS,
    CACHE_STORES,
    CACHE_EVICTIONS,
    CACHE_ENTRIES,
    CACHE_BYTES,
    KNOWLEDGE_ANSWERS,
    KNOWLEDGE_ENTRIES,
    KNOWLEDGE_LOADED,
    DEPENDENCY_FAILURES,
)
FROM_STATUS = (*HEALTH, *HEDGING, *RUNGS, *STORED)
FROM_RECORDS = (PLANNED_AROUND,)
CHAPTERS = {
    "Health of deployments": HEALTH,
    "Hedges": HEDGING,
    "Rungs": (*RUNGS, *FROM_RECORDS),
    "Stored answers": STORED,
}
"""The metrics of the ladder, by chapter of the reference."""
