"""The paired test: is the candidate worse, or shown to be within the margin? Pure.

One pair is one case asked once of each release. ``lost`` pairs are good on the stable one and not
on the candidate, ``won`` pairs the other way round; pairs on which both agree say nothing of a
difference. The cases are the population: what is inferred is how these questions are answered, over
the randomness of the models, and not how other questions would be.

- *Worse*: the exact one-sided McNemar test (McNemar 1947, Psychometrika 12:153-157). If the
  releases are equal, each pair that differs is lost with probability 1/2, whatever the case; so the
  size holds for any mix of cases, exactly.
- *No worse than the margin*: the score interval for the difference of paired shares (Tango 1998,
  Statistics in Medicine 17:891-908), which is of use without a single pair that differs.
"""

from fractions import Fraction
from functools import lru_cache
from math import comb, exp, lgamma, log, sqrt
from statistics import NormalDist
from typing import Final, NamedTuple

POWER: Final = 0.8
_STEPS: Final = 60
_NEGLIGIBLE: Final = 1e-12


class Pairs(NamedTuple):
    """Pairs by what came of them.

    Attributes:
        n: How many.
        lost: Good before, not good now.
        won: The other way round.
    """

    n: int
    lost: int
    won: int

    @property
    def drop(self) -> float:
        """Share of good answers that was lost; below 0 for a gain."""
        return (self.lost - self.won) / self.n if self.n else 0.0


def p_worse(pairs: Pairs) -> float:
    """Return the probability of at least so many lost pairs if the releases are equal."""
    differ = pairs.lost + pairs.won
    if not differ:
        return 1.0
    tail = sum(comb(differ, lost) for lost in range(pairs.lost, differ + 1))
    return float(tail / 2**differ)


def most_drop(pairs: Pairs, alpha: float) -> float:
    """Return the upper end of the one-sided interval of the drop, at level 1 - ``alpha``.

    The greatest drop that Tango's score test does not refuse; found by bisection, as the statistic
    falls in it.
    """
    if not pairs.n:
        return 1.0
    z = NormalDist().inv_cdf(1 - alpha)
    low, high = pairs.drop, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _score(pairs, middle) > -z:
            low = middle
        else:
            high = middle
    return high


def _score(pairs: Pairs, drop: float) -> float:
    """Return Tango's statistic for "the drop is ``drop``"."""
    n, lost, won = pairs
    a = 2.0 * n
    b = -lost - won + (2.0 * n - lost + won) * drop
    c = -won * drop * (1.0 - drop)
    share = (sqrt(max(0.0, b * b - 4.0 * a * c)) - b) / (2.0 * a)
    variance = n * (2.0 * share + drop * (1.0 - drop))
    return 0.0 if variance <= 0.0 else (lost - won - n * drop) / sqrt(variance)


def is_worse(pairs: Pairs, alpha: float, margin: float) -> bool:
    """Tell whether pairs are called worse: less good for sure, and not for sure by less than that.

    Args:
        pairs: What was seen.
        alpha: Of both tests.
        margin: Drop that is tolerated.
    """
    return p_worse(pairs) <= alpha and most_drop(pairs, alpha) > margin


def power(n: int, drop: float, noise: float, alpha: float, margin: float) -> float:
    """Return the probability that ``n`` pairs are called worse.

    Args:
        n: Pairs.
        drop: By how much the share of good answers falls.
        noise: Share of pairs that are won by chance; as many more are lost by chance.
        alpha: Of the test.
        margin: Drop that is tolerated.
    """
    lost, won = min(1.0, drop + noise), noise
    differ = min(1.0, lost + won)
    if differ <= 0.0:
        return 0.0
    total = 0.0
    for count in range(n + 1):
        weight = _binomial(n, count, differ)
        least = least_worse(n, count, alpha, margin) if weight > _NEGLIGIBLE else None
        if least is not None:
            share = lost / (lost + won)
            total += weight * sum(_binomial(count, each, share) for each in range(least, count + 1))
    return min(1.0, total)


def least_lost(differ: int, alpha: float) -> int | None:
    """Return the fewest lost of ``differ`` pairs that are significant; ``None`` if all are not."""
    size = Fraction(str(alpha))  # whole numbers: 2 to the differ fits no float
    found, lost, tail = None, differ, 1
    while tail * size.denominator <= size.numerator * 2**differ:
        found, lost = lost, lost - 1
        tail += comb(differ, lost)
    return found


@lru_cache(maxsize=20_000)
def least_worse(n: int, differ: int, alpha: float, margin: float) -> int | None:
    """Return the fewest lost of ``differ`` pairs out of ``n`` that are called worse.

    ``None`` if not even all of them are. The bound of the drop rises with what is lost.
    """
    low = least_lost(differ, alpha)
    if low is None or most_drop(Pairs(n, differ, 0), alpha) <= margin:
        return None
    high = differ
    while low < high:
        middle = (low + high) // 2
        if most_drop(Pairs(n, middle, differ - middle), alpha) > margin:
            high = middle
        else:
            low = middle + 1
    return low


def smallest_drop(n: int, noise: float, alpha: float, margin: float) -> float | None:
    """Return the smallest drop that is called worse with probability 0.8; ``None`` for none.

    To a tenth of a percentage point, rounded up. Arguments as of :func:`power`.
    """
    low, high = 1, 1_000
    if power(n, 1.0, noise, alpha, margin) < POWER:
        return None
    while low < high:
        middle = (low + high) // 2
        if power(n, middle / 1_000, noise, alpha, margin) >= POWER:
            high = middle
        else:
            low = middle + 1
    return low / 1_000


def _binomial(n: int, count: int, share: float) -> float:
    if share <= 0.0 or share >= 1.0:
        return float(count == (n if share >= 1.0 else 0))
    ways = lgamma(n + 1) - lgamma(count + 1) - lgamma(n - count + 1)
    return exp(ways + count * log(share) + (n - count) * log(1.0 - share))
