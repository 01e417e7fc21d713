"""How long each rung may take: a pure function of the deadline and what is left to try.

A fallback that is configured but never reached, because the first rung used up the deadline, is
the commonest broken promise among gateways. So time is shared: of what is left, less the floor's
reserve, a rung gets an equal part with those after it. A rung that fails early leaves its part to
the others. (Learned costs and health replace the equal parts; the signature stays.)
"""

FLOOR_RESERVE_S = 0.010
"""Seconds kept for rendering and writing the floor's answer."""


def give_up_at(
    now_s: float, deadline_s: float, rungs_left: int, own_limit_ms: float | None = None
) -> float:
    """Return the monotonic second at which a rung must have spoken or the next one starts.

    Args:
        now_s: Monotonic seconds now.
        deadline_s: Monotonic seconds by which the answer must have left; ``inf`` for none.
        rungs_left: This rung and those after it, the floor not counted; at least 1.
        own_limit_ms: The rung's own limit from the route, milliseconds, or ``None``.

    Returns:
        A point in time, never after ``deadline_s`` less the floor's reserve. It may lie in the
        past: then the rung must not be started.
    """
    usable_s = deadline_s - FLOOR_RESERVE_S - now_s
    share_s = usable_s / rungs_left
    if own_limit_ms is not None:
        share_s = min(own_limit_ms / 1000, usable_s)
    return now_s + share_s
