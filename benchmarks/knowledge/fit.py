"""Fit the confidence, and choose the threshold.

``python -m benchmarks.knowledge.fit`` prints the weights of a collection that names the subjects
on which it has no answer, for ``knowledge/confidence.py``; with ``--alone`` those of another.
Logistic regression by Newton's method with a small ridge, after Platt (1999), on written questions
(``development.jsonl`` and half A of the blind ones) and generated ones: both halves, as both are
spent (``--alone``: the calibrating one). A written one counts more, as they are fewer and more like
what people type. For each threshold it prints what becomes of the questions, each judged by a fit
that has not seen it. The bias is moved so that the threshold that was chosen is the default one.
"""

import sys
from collections.abc import Sequence
from math import exp
from typing import NamedTuple

from benchmarks.knowledge import blind
from benchmarks.knowledge.bounds import upper_bound
from benchmarks.knowledge.looking import best_of, collection
from benchmarks.knowledge.questions import read
from steadyhand.knowledge.confidence import evidence_used

RIDGE = 1.0
ROUNDS = 10
WRITTEN = 3.0
WRITTEN_ALONE = 10.0
FOLDS = 5
THRESHOLDS = (0.7, 0.75, 0.8, 0.85, 0.88, 0.89, 0.9, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96, 0.97)


class Row(NamedTuple):
    """A question, what was found for it, and whether that is right.

    Attributes:
        is_written: Whether a person wrote it.
        has_entry: Whether it has an entry.
        evidence: What is weighed; empty if nothing was found.
        is_right: Whether what was found is its entry.
    """

    is_written: bool
    has_entry: bool
    evidence: tuple[float, ...]
    is_right: bool


def rows(*, subjects: bool = True) -> list[Row]:
    """Return what is fitted to, in a collection with or without ``subjects``."""
    index, ids = collection(subjects=subjects)
    written = [*blind.read(blind.DEVELOPMENT), *(it for it in blind.read() if it.half == "A")]
    every = [(True, it.question, it.section * (it.kind == "covered")) for it in written]
    every += [
        (False, asked.text, asked.right)
        for asked in read()
        if (subjects or asked.half == "calibrate") and asked.kind != "chatty"
    ]
    found = []
    for is_written, text, right in every:
        best = best_of(index, text)
        used = () if best is None else evidence_used(best.evidence)
        is_right = best is not None and ids[best.entry] == right
        found.append(Row(is_written, right != "", used, is_right))
    return found


def fit(known: Sequence[Row], written: float = WRITTEN) -> list[float]:
    """Return bias and weights of the logistic function that makes what is right most likely."""
    told = [row for row in known if row.evidence]
    width = len(told[0].evidence) + 1
    theta = [0.0] * width
    for _ in range(ROUNDS):
        slope = [-RIDGE * weight for weight in theta]
        curve = [[RIDGE * (i == j) for j in range(width)] for i in range(width)]
        for row in told:
            x = (1.0, *row.evidence)
            p = certainty(theta, row)
            counts = written if row.is_written else 1.0
            for i in range(width):
                slope[i] += counts * (row.is_right - p) * x[i]
                for j in range(width):
                    curve[i][j] += counts * p * (1 - p) * x[i] * x[j]
        theta = [w + d for w, d in zip(theta, _solve(curve, slope), strict=True)]
    return theta


def certainty(theta: Sequence[float], row: Row) -> float:
    """Return the confidence in what was found, nought if nothing was."""
    if not row.evidence:
        return 0.0
    return 1 / (1 + exp(-sum(w * v for w, v in zip(theta, (1.0, *row.evidence), strict=True))))


def _solve(matrix: list[list[float]], vector: list[float]) -> list[float]:
    """Solve by elimination; ``matrix`` is positive definite, so no pivot is nought."""
    rows = [[*row, value] for row, value in zip(matrix, vector, strict=True)]
    size = len(rows)
    for i in range(size):
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for j in range(size):
            if j != i:
                rows[j] = [a - rows[j][i] * b for a, b in zip(rows[j], rows[i], strict=True)]
    return [row[-1] for row in rows]


def main() -> None:
    """Print bias, weights, and what each threshold would do."""
    alone = "--alone" in sys.argv
    written = WRITTEN_ALONE if alone else WRITTEN
    every = rows(subjects=not alone)
    sys.stdout.write(" ".join(f"{weight:.2f}" for weight in fit(every, written)) + "\n")
    judged: list[tuple[float, Row]] = []
    for fold in range(FOLDS):
        theta = fit([row for n, row in enumerate(every) if n % FOLDS != fold], written)
        judged += [(certainty(theta, row), row) for n, row in enumerate(every) if n % FOLDS == fold]
    for name, is_written in (("written", True), ("generated", False)):
        told = [(sure, row) for sure, row in judged if row.is_written == is_written]
        covered = sum(row.has_entry for _, row in told)
        bare = len(told) - covered
        for threshold in THRESHOLDS:
            spoken = [row for sure, row in told if sure >= threshold]
            right = sum(row.is_right for row in spoken)
            false = sum(not row.has_entry for row in spoken)
            sys.stdout.write(
                f"{name} {threshold}: right {right / covered:.3f}, "
                f"other {len(spoken) - right - false}, "
                f"false {false} of {bare} (at most {upper_bound(false, bare):.2%})\n"
            )


if __name__ == "__main__":
    main()
