"""What the end of an attempt says about its deployment's health. Pure."""

from steadyhand.providers.base import Failure

_BY_REASON = {
    "ok": "ok",
    "connect_failed": "refused",
    "connect_timeout": "refused",
    "dns_failed": "refused",
    "tls_failed": "refused",
    "auth_failed": "denied",
    "quota_exhausted": "denied",
    "model_not_found": "denied",
    "rate_limited": "limited",
    "truncated": "truncated",
    "gave_up": "slow",
    "first_byte_timeout": "slow",
    "idle_timeout": "slow",
    "total_timeout": "slow",
    "pool_exhausted": "cancelled",
    "out_of_files": "cancelled",
    "client_gone": "cancelled",
    "shutdown": "cancelled",
    "hedge_lost": "cancelled",
    "overtaken": "cancelled",
    "records_unavailable": "cancelled",
    "stream_cap": "cancelled",
}
"""Ends that are not plain errors. What is ours says nothing about the deployment: ``cancelled``."""


def outcome_of(failure: Failure) -> str:
    """Return one of ``steadyhand.routing.health.reading.OUTCOMES``."""
    if failure.callers_own:
        return "callers_own"
    return _BY_REASON.get(failure.reason, "error")


def outcome_of_stream(reason: str) -> str:
    """Return the outcome of a stream that ended for ``reason`` after it had begun to speak.

    A connection that breaks or falls silent is a cut answer then, and a stream that outlasted its
    cap is none of the deployment's faults: it may have had much to say.
    """
    if reason in {"connection_lost", "upstream_error_event", "idle_timeout"}:
        return "truncated"
    return "cancelled" if reason == "total_timeout" else _BY_REASON.get(reason, "error")
