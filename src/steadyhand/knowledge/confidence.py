"""From how well an entry matches to the probability that it answers the question. Pure.

A BM25 score means nothing by itself: it grows with the question and the collection. So the evidence
is taken as shares between 0 and 1, and a logistic function of them is fitted to labelled questions
(Platt 1999, "Probabilistic Outputs for Support Vector Machines"). ``benchmarks/knowledge/`` holds
questions, fit and judgement; the weights below are what ``fit`` printed.
"""

from math import exp

from steadyhand.knowledge.model import Evidence

BIAS = -8.42
CONTAINED = 4.46
WHOLE = 1.13
SPECIFIC = 3.65
SCORE = 2.52
MISSING = -0.59
ASTRAY = -3.68
UNKNOWN = -5.61
MARGIN = 7.68

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
    """Return what is weighed, in the order of ``WEIGHTS``; coverage only ranks."""
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


WEIGHTS = (CONTAINED, WHOLE, SPECIFIC, SCORE, MISSING, ASTRAY, UNKNOWN, MARGIN)


def confidence(evidence: Evidence) -> float:
    """Return the probability, 0 to 1, that the entry answers the question."""
    weighed = zip(WEIGHTS, evidence_used(evidence), strict=True)
    return 1 / (1 + exp(-BIAS - sum(weight * share for weight, share in weighed)))
