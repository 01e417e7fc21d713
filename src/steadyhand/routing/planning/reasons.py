"""What the planner's reasons mean, in a few words for people."""

MEANINGS: dict[str, str] = {
    # why a rung was started
    "first_choice": "the first choice",
    "planned_around": "the first that may start and usually makes it",
    "after_failure": "the one before failed",
    "after_give_up": "the one before had its time",
    "after_empty": "the stored rung before had no answer",
    "last_resort": "else only the floor would be left",
    "probe": "a probe of a half-open breaker",
    "live_is_slow": "looks for its answer while the live rung is slow",
    "slow": "slower than about 19 of 20: a second is asked beside it",
    "too_slow_for_this_request": "asked for later requests; nobody waits for it",
    # why it was waited for, left, or spoke
    "has_time": "its time is not up",
    "late_ones_may_speak": "nobody else is left; those whose time is up may still answer",
    "time_is_up": "its time was up",
    "first_content": "the first content",
    "fresh": "a fresh stored answer, and its turn",
    "fresh_at_deadline": "a stored answer; the live rung before it said nothing in time",
    "stale_at_deadline": "a stale answer; no live rung spoke in time",
    "stale_at_no_live_answer": "a stale answer; every live rung has had its time",
    "deadline": "the time is up",
    "nothing_left": "every rung failed or had its time",
    "nothing_may_start": "no rung may start",
    "client_gone": "the client left",
    "has_spoken": "the answer has begun to leave",
    # why it was planned around
    "open": "its breaker is open",
    "half_open": "its breaker is half open, and all probes are taken",
    "shed": "its share is reduced, and this request was not drawn",
    "not_proven": "nothing has proved it within its window",
    "too_slow": "usually needs longer than there was",
    "no_time": "no time was left",
    "spare": "kept as a hedge only",
    "not_reached": "not reached",
    # how the time was shared
    "no_deadline": "no deadline: each has its cap",
    "equal_shares": "equal shares: nothing is known yet of what the rungs take",
    "learned_costs": "by learned costs",
}
"""Reason → what it means. A reason that is missing here bars a rung from a request: its name says
for which feature (``tools``, ``schema``, ``policy``, ``residency``)."""


def meaning(reason: str) -> str:
    """Return what ``reason`` means."""
    return MEANINGS.get(reason, f"cannot serve this request: {reason.replace('_', ' ')}")
