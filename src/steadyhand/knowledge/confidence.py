"""From how well an entry matches to the probability that it answers the question. Pure.

A BM25 score means nothing by itself: it grows with the question and the collection. So the evidence
is taken as shares between 0 and 1, and a logistic function of them is fitted to labelled questions
(Platt 1999, "Probabilistic Outputs for Support Vector Machines"). ``benchmarks/knowledge/`` holds
questions, fit and judgement; the weights below are what ``fit`` printed for its calibration half.
"""

from math import exp

from steadyhand.knowledge.model import Evidence

BIAS = -7.44
PHRASING = 3.67
CONTAINED = 7.39
MISSING = -3.65
ASTRAY = -1.38
UNKNOWN = -5.73
MARGIN = 1.01

LEAST_COVERAGE = 0.3
"""Below this share no entry is considered, whatever else speaks for it."""


def confidence(evidence: Evidence) -> float:
    """Return the probability, 0 to 1, that the entry answers the question.

    Coverage and score rank entries; once the rest is known, they say no more.
    """
    return 1 / (
        1
        + exp(
            -BIAS
            - PHRASING * evidence.phrasing
            - CONTAINED * evidence.contained
            - MISSING * evidence.missing
            - ASTRAY * evidence.astray
            - UNKNOWN * evidence.unknown
            - MARGIN * evidence.margin
        )
    )
