"""How much time a rung needs, and how much of what is left it gets.

The rule, for a live rung whose turn it is (``docs/decisions/0028``):

- It may start if it *usually makes it*: if its need fits into the time that is left. The need is
  the geometric mean of median and 90th percentile, which three of four answers stay below if
  latency is log-normal.
- It gets its median, if it may go on beside the next one, and else its need. Of what is left then,
  those after it are put aside their 99th percentiles, as far as that goes; the rest is its own
  again. But none that takes its need is asked so early that it would overtake this one at its
  need: the order of the route is the order of preference.
- But once it is stuck, not slow, somebody else who may answer has the next turn, and it may go on
  beside. Before another live rung that is so after twice the time that 99 of 100 take: at once
  that time, one healthy request in a hundred would be asked, and paid, twice. A stored answer
  costs nothing: it speaks once that time itself is over.
- What is not known yet counts as an equal share of the time. If nothing is known, that is what
  each gets (``docs/decisions/0007``).
"""

from math import isqrt
from typing import NamedTuple

from steadyhand.routing.planning.situation import NEVER_US, Candidate, Cost

LEARNED_SAMPLES = 20
"""Fewer samples than these say nothing about a tail: the cost counts as unknown."""

PATIENCE = 2
"""So many times its 99th percentile may a rung take before it is stuck.

If latency is log-normal, healthy answers take longer in one of 800 requests where the tail is
heavy (sigma 1), and in one of 40,000 where it is not (0.4).
"""

LEAST_STUCK_US = 50_000
"""No live rung is stuck earlier: a turn of a busy loop is no sign of a provider."""

LEAST_FETCH_US = 25_000
"""A stored rung has at least so long, whatever its cost says: a process may be scheduled away for
milliseconds on a busy machine, and an answer that is there is worth the wait. It has limits of its
own; this one is for what hangs."""


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
    return max(PATIENCE * cost.p99_us, LEAST_FETCH_US)


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


class Others(NamedTuple):
    """Who else may answer while a live candidate has its turn.

    Attributes:
        later: Live candidates that may start after it and usually make it, in order.
        soonest_us: The least need of all that may start beside it; 0 if one is not known.
        is_last: Whether only the floor is left after it.
    """

    later: list[Candidate]
    soonest_us: int
    is_last: bool


def reserve_us(candidate: Candidate, others: Others, time_us: int, *, lingers: bool) -> int:
    """Return what is put aside of ``time_us`` for the live candidates after ``candidate``."""
    share = time_us // (1 + len(others.later))
    wanted = sum(one.cost.p99_us if is_known(one.cost) else share for one in others.later)
    if not is_known(candidate.cost):
        return min(wanted, time_us - share)
    need = need_us(candidate.cost)
    if not lingers:
        return max(0, min(wanted, time_us - need))
    overtaking_us = time_us - need + max(0, others.soonest_us - 1)
    return max(0, min(wanted, time_us - candidate.cost.p50_us, overtaking_us))


def window_us(candidate: Candidate, others: Others, time_us: int, *, lingers: bool) -> int:
    """Return how long a live ``candidate`` may take before the next one starts.

    Args:
        candidate: Whose turn it is.
        others: Who else may answer.
        time_us: All that is left for live rungs; above 0.
        lingers: Whether ``candidate`` goes on when the next one has begun.
    """
    if candidate.limit_us:
        return min(candidate.limit_us, time_us)
    window = time_us - reserve_us(candidate, others, time_us, lingers=lingers)
    if is_known(candidate.cost):
        if not others.is_last:
            window = min(window, stuck_us(candidate.cost, others, lingers=lingers))
        if candidate.is_probe:
            window = min(window, candidate.cost.p90_us)
    return max(1, window)


def stuck_us(cost: Cost, others: Others, *, lingers: bool) -> int:
    """Return after how long a live rung of known ``cost`` is stuck, and not only slow."""
    is_paid_twice = bool(others.later) or not lingers
    return max(cost.p99_us * (PATIENCE if is_paid_twice else 1), LEAST_STUCK_US)


def uncapped_us(candidate: Candidate, cap_us: int) -> int:
    """Return how long ``candidate`` may take where there is no deadline."""
    return candidate.limit_us or cap_us or NEVER_US
