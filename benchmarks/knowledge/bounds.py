"""Exact bounds on a rate of which so many of so many were seen.

Source: Clopper and Pearson (1934), Biometrika 26:404-413. One-sided at 95 %: the bound is the rate
at which as few (or as many) as were seen has a chance of 5 %. Found by halving, on the tail.
"""

from collections.abc import Callable
from math import exp, lgamma, log

ALPHA = 0.05


def upper_bound(seen: int, of: int) -> float:
    """Return the rate that the true one does not exceed, with 95 % confidence."""
    return 1.0 if seen >= of else _halve(lambda rate: _at_most(seen, of, rate) > ALPHA)


def lower_bound(seen: int, of: int) -> float:
    """Return the rate that the true one does not fall below, with 95 % confidence."""
    return 1 - upper_bound(of - seen, of)


def _at_most(seen: int, of: int, rate: float) -> float:
    """Return the chance of ``seen`` or fewer in ``of`` trials."""
    if rate <= 0 or rate >= 1:
        return float(rate <= 0)
    terms = (
        lgamma(of + 1)
        - lgamma(k + 1)
        - lgamma(of - k + 1)
        + k * log(rate)
        + (of - k) * log(1 - rate)
        for k in range(seen + 1)
    )
    return min(1.0, sum(map(exp, terms)))


def _halve(is_below: Callable[[float], bool]) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if is_below(middle) else (low, middle)
    return high
