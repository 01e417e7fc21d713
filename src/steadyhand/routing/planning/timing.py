"""How much time a rung needs, and how much of what is left it gets.

The rule, for a live rung whose turn it is (``docs/decisions/0028``):

- It may start if it *usually makes it*: if its need fits into the time that is left. The need is
  the geometric mean of median and 90th percentile, which three of four answers stay below if
  latency is log-normal.
- From what is left, the needs of those after it are put aside at the surest level at which all
  fit: 99th percentile, 90th, need. If they do not fit at any, the last one gives way, and so on.
- It gets the rest, but not more than twice its 99th percentile while somebody else may answer:
  it is not slow then, it is stuck.
- What is not known yet counts as an equal share of the time. If nothing is known, that is what
  each gets (``docs/decisions/0007``).
"""

from math import isqrt

from steadyhand.routing.planning.situation import NEVER_US, Candidate, Cost

LEARNED_SAMPLES = 20
"""Fewer samples than these say nothing about a tail: the cost counts as unknown."""

STUCK = 2
"""A rung that has taken so many times its 99th percentile is stuck, not slow."""

LEAST_FETCH_US = 2_000
"""A stored rung has at least so long, whatever its cost says: a process may be scheduled away."""


def is_known(cost: Cost) -> bool:
    """Tell whether ``cost`` was learned from enough answers to plan with."""
    return cost.samples >= LEARNED_SAMPLES


def need_us(cost: Cost) -> int:
    """Return what a rung of known ``cost`` stays below three times of four."""
    return isqrt(cost.p50_us * cost.p90_us)


def luck_us(cost: Cost) -> int:
    """Return about the 10th percentile: the 90th mirrored at the median, as in a log-normal."""
    return cost.p50_us * cost.p50_us // cost.p90_us if cost.p90_us else 0


def hedge_after_us(cost: Cost) -> int:
    """Return after how long a hedge is worth it: about the 95th percentile.

    Dean and Barroso, The Tail at Scale (CACM 56, 2013), hedge there: one request in twenty is
    sent twice. The geometric mean of the 90th and the 99th lies a little above.
    """
    return isqrt(cost.p90_us * cost.p99_us)


def fetch_us(cost: Cost) -> int:
    """Return how long a stored rung may look for its answer."""
    return max(STUCK * cost.p99_us, LEAST_FETCH_US)


def makes_it(candidate: Candidate, time_us: int) -> bool:
    """Tell whether a live ``candidate`` usually answers within ``time_us`` and its own limit."""
    if time_us <= 0:
        return False
    if not is_known(candidate.cost):
        return True
    need = need_us(candidate.cost)
    return need <= time_us and (not candidate.limit_us or need <= candidate.limit_us)


def may_make_it(candidate: Candidate, time_us: int) -> bool:
    """Tell whether one answer in ten of a live ``candidate`` comes within ``time_us``."""
    return time_us > 0 and (not is_known(candidate.cost) or luck_us(candidate.cost) <= time_us)


def reserve_us(candidate: Candidate, later: list[Candidate], time_us: int, *, lingers: bool) -> int:
    """Return what is put aside of ``time_us`` for the live candidates after ``candidate``.

    Args:
        candidate: Whose turn it is.
        later: Live candidates that may start after it, in order.
        time_us: All that is left for live rungs.
        lingers: Whether ``candidate`` goes on when the next one has begun.
    """
    fitting = [other for other in later if makes_it(other, time_us)]
    share = time_us // (1 + len(fitting))
    own = need_us(candidate.cost) if is_known(candidate.cost) else share
    levels = [_levels(other, share) for other in fitting]
    for kept in range(len(levels), 0, -1):
        for level in range(3):
            aside = sum(one[level] for one in levels[:kept])
            if own + aside <= time_us:
                return aside
    if lingers and levels and time_us - levels[0][2] >= candidate.cost.p50_us:
        return levels[0][2]  # they overlap: the next begins while this one goes on
    return 0


def _levels(candidate: Candidate, share_us: int) -> tuple[int, int, int]:
    cost = candidate.cost
    if not is_known(cost):
        return share_us, share_us, share_us
    return cost.p99_us, cost.p90_us, need_us(cost)


def window_us(
    candidate: Candidate, later: list[Candidate], time_us: int, *, lingers: bool, is_last: bool
) -> int:
    """Return how long a live ``candidate`` may take before the next one starts.

    Args:
        candidate: Whose turn it is.
        later: Live candidates that may start after it, in order.
        time_us: All that is left for live rungs; above 0.
        lingers: Whether ``candidate`` goes on when the next one has begun.
        is_last: Whether only the floor is left after it.
    """
    if candidate.limit_us:
        return min(candidate.limit_us, time_us)
    window = time_us - reserve_us(candidate, later, time_us, lingers=lingers)
    if is_known(candidate.cost):
        if not is_last:
            window = min(window, STUCK * candidate.cost.p99_us)
        if candidate.is_probe:
            window = min(window, candidate.cost.p90_us)
    return max(1, window)


def uncapped_us(candidate: Candidate, cap_us: int) -> int:
    """Return how long ``candidate`` may take where there is no deadline."""
    return candidate.limit_us or cap_us or NEVER_US
