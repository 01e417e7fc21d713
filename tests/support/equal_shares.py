"""The rule of ADR 0007, as it was before anything was learned: what the planner is held against."""

FLOOR_RESERVE_S = 0.010


def give_up_at(
    now_s: float, deadline_s: float, rungs_left: int, own_limit_ms: float | None
) -> float:
    """Return when a rung must have spoken: an equal share of what is left, or its own limit."""
    usable_s = deadline_s - FLOOR_RESERVE_S - now_s
    share_s = usable_s / rungs_left
    if own_limit_ms is not None:
        share_s = min(own_limit_ms / 1000, usable_s)
    return now_s + share_s
