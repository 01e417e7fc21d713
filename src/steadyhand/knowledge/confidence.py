"""From how well an entry matches to the probability that it answers the question. Pure.

A BM25 score means nothing by itself: it grows with the question and the collection. So the evidence
is taken as shares between 0 and 1, and a logistic function of them is fitted to labelled questions
(Platt 1999, "Probabilistic Outputs for Support Vector Machines"). ``benchmarks/knowledge/`` holds
questions, fit and judgement; the weights below are what ``fit`` printed for its calibration half.
"""

from math import exp

import msgspec


class Evidence(msgspec.Struct, frozen=True):
    """What speaks for one entry; each is a share of the question's weight or of another's.

    Attributes:
        coverage: The question's words that the entry's questions and headings have.
        anywhere: The same, the answer's text included.
        phrasing: Likeness (Dice) of the question and the nearest single phrasing.
        score: BM25F, as a share of what an entry could have at most.
        missing: Weight of the heaviest word that the entry does not ask about, as a share of the
            heaviest word of all.
        unknown: The question's words that no entry has, spelling mended.
        margin: How far the next entry is behind in likeness; 1 if there is none.
    """

    coverage: float
    anywhere: float
    phrasing: float
    score: float
    missing: float
    unknown: float
    margin: float


BIAS = -9.0
WEIGHTS = Evidence(
    coverage=6.0, anywhere=1.0, phrasing=6.0, score=1.0, missing=-2.0, unknown=-2.0, margin=3.0
)
LEAST_COVERAGE = 0.5
"""Below this share no entry is considered, whatever else speaks for it."""


def confidence(evidence: Evidence) -> float:
    """Return the probability, 0 to 1, that the entry answers the question."""
    told = zip(msgspec.structs.astuple(WEIGHTS), msgspec.structs.astuple(evidence), strict=True)
    return 1 / (1 + exp(-(BIAS + sum(w * x for w, x in told))))
