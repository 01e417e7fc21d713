"""How many answers were ungrounded, with what is not known. Pure.

Each sample weighs one over the probability with which it was drawn, so a rate stays unbiased when
the probability was changed in between. The interval is Wilson's (1927), of as many answers as the
weights are worth (Kish's effective size); it holds at low counts, where the textbook interval does
not. Answers that could not be measured are not counted as good: how far they could move the rate
is told beside it.
"""

from math import sqrt
from typing import Final, NamedTuple

import msgspec

Z: Final = 1.959964
"""Of a two-sided interval at 95 %."""


class Tally(NamedTuple):
    """Sampled answers of one state.

    Attributes:
        samples: How many.
        weight: Sum of one over their probabilities.
        squares: Sum of the squares of these.
    """

    samples: int = 0
    weight: float = 0.0
    squares: float = 0.0


NOTHING: Final = Tally()


class Rate(msgspec.Struct, frozen=True):
    """The share of ungrounded answers.

    Attributes:
        ungrounded: Samples that are.
        grounded: Samples that are.
        not_measured: Samples that could not be told.
        share: Of the measured answers; ``None`` if none was measured.
        low: Lower end of the interval, 95 %.
        high: Upper end.
        least: The share if all that could not be measured were grounded.
        most: The share if none of them were.
    """

    ungrounded: int
    grounded: int
    not_measured: int
    share: float | None
    low: float
    high: float
    least: float
    most: float


def rate(ungrounded: Tally, grounded: Tally, not_measured: Tally) -> Rate:
    """Return the rate."""
    counts = (ungrounded.samples, grounded.samples, not_measured.samples)
    measured = ungrounded.weight + grounded.weight
    whole = measured + not_measured.weight
    if not whole:
        return Rate(*counts, None, 0.0, 1.0, 0.0, 1.0)
    least = ungrounded.weight / whole
    most = (ungrounded.weight + not_measured.weight) / whole
    if not measured:
        return Rate(*counts, None, 0.0, 1.0, least, most)
    share = ungrounded.weight / measured
    low, high = wilson(share, measured * measured / (ungrounded.squares + grounded.squares))
    return Rate(*counts, share, low, high, least, most)


def wilson(share: float, size: float) -> tuple[float, float]:
    """Return the interval of a share of ``size`` observations, above 0."""
    z2 = Z * Z / size
    middle = (share + z2 / 2) / (1 + z2)
    half = Z / (1 + z2) * sqrt(share * (1 - share) / size + z2 / size / 4)
    return max(0.0, middle - half), min(1.0, middle + half)
