"""Evidence as e-values: how strongly counts speak against a claim, at any time they are looked at.

An e-process is a bet against a claim that cannot be expected to win while the claim holds. So the
chance that it ever passes 1/alpha is at most alpha, however long it runs and however often it is
looked at (Ville's inequality): nothing here depends on how many looks there are.

Three claims are bet against:

- *Randomisation.* All compared slices have the same weight, so a bad event, if the candidate is no
  worse than stable, falls into the candidate's slice with probability 1 / (1 + controls), whatever
  the rate of bad events does: a provider's outage, a change of load and a cold cache are shared by
  all slices. Which slice each bad event fell into is all that is looked at.
- *Rate.* The candidate's bad events are rarer than a given rate.
- *Sample ratio.* Units are spread over the slices as they should be.

Values are natural logarithms. Sources: Ville (1939), *Étude critique de la notion de collectif*;
Ramdas, Grünwald, Vovk, Shafer (2023), "Game-theoretic statistics and safe anytime-valid
inference", Statistical Science 38(4); Howard, Ramdas, McAuliffe, Sekhon (2021), Annals of
Statistics 49(2). Mean of e-processes: Vovk, Wang (2021), "E-values: calibration, combination and
applications", Annals of Statistics 49(3).
"""

from collections.abc import Mapping, Sequence
from math import exp, inf, log
from typing import Final, NamedTuple

WORSE: Final = (1.5, 2.0, 3.0, 5.0, 10.0)
"""Ratios to the control's rate that the bet against a candidate is spread over."""

AS_GOOD: Final = (0.5, 0.8, 1.0, 1.2)
"""Ratios that the bet for a candidate is spread over."""

SKEWED: Final = (0.5, 0.67, 0.8, 1.25, 1.5, 2.0)
"""Ratios that the bet against the spread of units is spread over."""

FIRST_START: Final = 0.6
"""Part of the bet that begins with the rollout; each later step gets an equal part of the rest, so
that a fault that shows late is not outvoted by the good hours before it."""


class Split(NamedTuple):
    """Where events fell while there were ``controls`` control slices.

    Attributes:
        candidate: Events in the candidate's compared slice.
        control: Events in all control slices together.
    """

    candidate: int = 0
    control: int = 0


Splits = Mapping[int, Split]
"""Number of control slices at the time → where events fell. All slices have the same weight."""


def share(controls: int, ratio: float) -> float:
    """Return the probability that an event is the candidate's if its rate is ``ratio`` × control's.

    Args:
        controls: Number of control slices, at least 1.
        ratio: Above 0.
    """
    return ratio / (ratio + controls)


def mean(logs: Sequence[float], weights: Sequence[float] | None = None) -> float:
    """Return the logarithm of a weighted mean of e-values.

    Args:
        logs: Logarithms of e-values; at least one.
        weights: Of each, their sum 1; ``None`` for equal ones.
    """
    parts = weights or [1 / len(logs)] * len(logs)
    most = max(logs)
    if most == -inf:
        return -inf
    return most + log(sum(part * exp(one - most) for part, one in zip(parts, logs, strict=True)))


def against_ratio(splits: Splits, claim: float, bets: Sequence[float]) -> float:
    """Return the log e-value against "the candidate's rate is ``claim`` × the control's".

    With ``bets`` above the claim it is one against every ratio below it as well, and the other way
    round.
    """
    logs = []
    for bet in bets:
        total = 0.0
        for controls, split in splits.items():
            claimed, wagered = share(controls, claim), share(controls, bet)
            total += split.candidate * log(wagered / claimed)
            total += split.control * log((1 - wagered) / (1 - claimed))
        logs.append(total)
    return mean(logs)


def against_rate(bad: int, total: int, claim: float, bets: Sequence[float]) -> float:
    """Return the log e-value against "a part ``claim`` is bad".

    With ``bets`` above the claim it is one against every rate below it as well, and the other way
    round.

    Args:
        bad: Number of bad ones.
        total: Number of all.
        claim: A rate in (0, 1).
        bets: Rates in (0, 1), all on one side of the claim.
    """
    good = total - bad
    return mean([bad * log(bet / claim) + good * log((1 - bet) / (1 - claim)) for bet in bets])


def from_starts(steps: Sequence[float]) -> float:
    """Return the log of the mean over bets that begin at each step.

    Args:
        steps: For each step of the plan, the log e-value of what was seen from its beginning on; 0
            for one that has not begun.
    """
    if len(steps) == 1:
        return steps[0]
    rest = (1 - FIRST_START) / (len(steps) - 1)
    return mean(steps, [FIRST_START, *[rest] * (len(steps) - 1)])


def summed(parts: Sequence[Splits]) -> dict[int, Split]:
    """Return all events of several stretches of time."""
    found: dict[int, Split] = {}
    for splits in parts:
        for controls, split in splits.items():
            before = found.get(controls, Split())
            found[controls] = Split(
                before.candidate + split.candidate, before.control + split.control
            )
    return found


def worse(steps: Sequence[Splits], margin: float, planned: int) -> float:
    """Return the log e-value against "the candidate is at most ``margin`` times as bad".

    Args:
        steps: Where bad events fell in each step that has begun, in order.
        margin: At least 1.
        planned: Number of steps of the plan.
    """
    bets = [margin * ratio for ratio in WORSE]
    begun = [against_ratio(summed(steps[number:]), margin, bets) for number in range(len(steps))]
    return from_starts([*begun, *[0.0] * (planned - len(steps))])


def no_worse(steps: Sequence[Splits], margin: float) -> float:
    """Return the log e-value against "the candidate is at least ``margin`` times as bad"."""
    return against_ratio(summed(steps), margin, [one for one in AS_GOOD if one < margin])


def above(bad: int, total: int, rate: float) -> float:
    """Return the log e-value against "at most ``rate`` are bad"."""
    bets = [min(rate * ratio, (1 + rate) / 2) for ratio in (1.3, 2.0, 4.0, 10.0)]
    return against_rate(bad, total, rate, bets)


def below(bad: int, total: int, rate: float) -> float:
    """Return the log e-value against "at least ``rate`` are bad"."""
    return against_rate(bad, total, rate, (rate / 8, rate / 3))


def skewed(units: Splits) -> float:
    """Return the log e-value against "units are spread over the slices as they should be"."""
    return against_ratio(units, 1.0, SKEWED)
