"""What ends of attempts say of a deployment: its own failures count, ours and the client's not."""

import pytest

from steadyhand.gateway.climb.outcomes import outcome_of, outcome_of_stream
from steadyhand.providers.base import Failure
from steadyhand.routing.health.reading import OUTCOMES

REASONS = {
    "ok": "ok",
    "connect_failed": "refused",
    "auth_failed": "denied",
    "quota_exhausted": "denied",
    "model_not_found": "denied",
    "rate_limited": "limited",
    "gave_up": "slow",
    "truncated": "truncated",
    "pool_exhausted": "cancelled",
    "client_gone": "cancelled",
    "hedge_lost": "cancelled",
    "server_error": "error",
    "malformed": "error",
    "whatever comes next year": "error",
}


@pytest.mark.parametrize(("reason", "outcome"), REASONS.items())
def test_a_failure_is_judged_by_its_reason(reason: str, outcome: str) -> None:
    assert outcome_of(Failure(reason)) == outcome
    assert outcome in OUTCOMES


def test_the_callers_own_mistake_is_not_the_deployments() -> None:
    assert outcome_of(Failure("invalid_request", callers_own=True)) == "callers_own"


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        ("ok", "ok"),
        ("connection_lost", "truncated"),
        ("upstream_error_event", "truncated"),
        ("total_timeout", "cancelled"),
        ("idle_timeout", "truncated"),
        ("malformed", "error"),
    ],
)
def test_a_stream_that_had_begun_is_judged_by_its_end(reason: str, outcome: str) -> None:
    assert outcome_of_stream(reason) == outcome
