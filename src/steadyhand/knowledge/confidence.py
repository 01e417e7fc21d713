"""From how well an entry matches to the probability that it answers the question. Pure.

A BM25 score means nothing by itself: it grows with the question and the collection. So the evidence
is taken as shares between 0 and 1, and a logistic function of them is fitted to labelled questions
(Platt 1999, "Probabilistic Outputs for Support Vector Machines"). ``benchmarks/knowledge/`` holds
questions, fit and judgement; the weights below are what ``fit`` printed.
"""

from math import exp
from typing import NamedTuple

from steadyhand.knowledge.model import Evidence


class Weights(NamedTuple):
    """Of a logistic function: ``bias`` and one weight for each part of the evidence."""

    bias: float
    contained: float
    whole: float
    specific: float
    score: float
    missing: float
    astray: float
    unknown: float
    margin: float


ALONE = Weights(-8.42, 4.46, 1.13, 3.65, 2.52, -0.59, -3.68, -5.61, 7.68)
"""Of a collection of answers alone."""
AMONG_SUBJECTS = Weights(-3.09, 2.77, -0.72, 1.46, 3.3, -2.34, -0.56, -6.23, 8.86)
"""Of one that names the subjects on which it has no answer: these stand in the way of a wrong one,
so less has to speak for the right one."""

WHOLE_FROM = 0.95
"""Share of a phrasing that counts as all of it."""
MARGIN_UP_TO = 0.25
"""An entry further ahead than this is no surer."""
EXACT_FROM = 0.97
"""Likeness at which a question is the phrasing itself: then it matters neither who else is near nor
how much the phrasing says."""
EXACT_SPECIFIC = 0.6

LEAST_COVERAGE = 0.3
"""Below this share no entry is considered, whatever else speaks for it."""


def evidence_used(evidence: Evidence) -> tuple[float, ...]:
    """Return what is weighed, in the order of :class:`Weights`; coverage only ranks."""
    is_exact = evidence.phrasing >= EXACT_FROM
    return (
        evidence.contained,
        float(evidence.contained >= WHOLE_FROM),
        max(evidence.specific, EXACT_SPECIFIC if is_exact else 0.0),
        evidence.score,
        evidence.missing,
        evidence.astray,
        evidence.unknown,
        MARGIN_UP_TO if is_exact else min(evidence.margin, MARGIN_UP_TO),
    )


def confidence(evidence: Evidence, among: Weights = ALONE) -> float:
    """Return the probability, 0 to 1, that the entry answers the question.

    Args:
        evidence: What speaks for it.
        among: Of the kind of its collection.
    """
    weighed = zip(among[1:], evidence_used(evidence), strict=True)
    return 1 / (1 + exp(-among.bias - sum(weight * share for weight, share in weighed)))
