"""Fit the confidence to the calibrating half, and choose the threshold on it.

``python -m benchmarks.knowledge.fit`` prints the weights for ``knowledge/confidence.py``.
Logistic regression by Newton's method with a small ridge, after Platt (1999); the threshold is the
lowest at which the upper 95 % bound on wrong answers is ``MOST_WRONG`` or less on this half.
"""

import sys
from collections.abc import Sequence
from math import exp

from benchmarks.knowledge.bounds import upper_bound
from benchmarks.knowledge.corpus import entry_of, sections
from benchmarks.knowledge.questions import Asked, read
from steadyhand.knowledge.index import Index
from steadyhand.knowledge.model import Asker, Candidate
from steadyhand.knowledge.packed import digest_of, pack, unpack
from steadyhand.knowledge.search import search

USED = ("phrasing", "contained", "missing", "astray", "unknown", "margin")
"""The evidence that is weighed; the rest ranks entries, and adds nothing once these are known."""

RIDGE = 1.0
ROUNDS = 25
MOST_WRONG = 0.008
"""Stricter than what is promised (0.01): the judging half is not this one."""

ASKER = Asker("bench", "", 20_000)


def collection() -> tuple[Index, list[str]]:
    """Return the index of every covered section, and the id of each entry."""
    entries = [entry_of(section) for section in sections() if section.is_covered]
    index = unpack(pack(entries), digest_of(entries), lambda: None)
    return index, [entry.id for entry in entries]


def best_of(index: Index, asked: Asked) -> Candidate | None:
    """Return what would be spoken if any confidence were enough."""
    found = search(index, asked.text, ASKER, 0.0)
    is_bare = not found.candidates or found.reason == "two_subjects"
    return None if is_bare else found.candidates[0]


def fit(rows: Sequence[tuple[float, ...]], right: Sequence[bool]) -> list[float]:
    """Return bias and weights of the logistic function that makes ``right`` most likely."""
    width = len(rows[0]) + 1
    theta = [0.0] * width
    for _ in range(ROUNDS):
        slope = [-RIDGE * weight for weight in theta]
        curve = [[RIDGE * (i == j) for j in range(width)] for i in range(width)]
        for row, is_right in zip(rows, right, strict=True):
            x = (1.0, *row)
            p = 1 / (1 + exp(-sum(w * v for w, v in zip(theta, x, strict=True))))
            for i in range(width):
                slope[i] += (is_right - p) * x[i]
                for j in range(width):
                    curve[i][j] += p * (1 - p) * x[i] * x[j]
        theta = [w + d for w, d in zip(theta, _solve(curve, slope), strict=True)]
    return theta


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
    """Print bias, weights and threshold."""
    index, ids = collection()
    rows: list[tuple[float, ...]] = []
    right: list[bool] = []
    kinds: list[bool] = []
    asked_of = [a for a in read() if a.half == "calibrate" and a.kind != "chatty"]
    for asked in asked_of:
        best = best_of(index, asked)
        if best is not None:
            rows.append(tuple(getattr(best.evidence, name) for name in USED))
            right.append(ids[best.entry] == asked.right)
            kinds.append(asked.is_covered)
    theta = fit(rows, right)
    sys.stdout.write(f"BIAS = {theta[0]:.2f}\n")
    for name, weight in zip(USED, theta[1:], strict=True):
        sys.stdout.write(f"    {name}={weight:.2f},\n")
    scored = sorted(
        ((_confidence(theta, row), *facts) for row, *facts in zip(rows, right, kinds, strict=True)),
        reverse=True,
    )
    covered = sum(asked.is_covered for asked in asked_of)
    bare = len(asked_of) - covered
    most_false, most_other = most_allowed(bare), most_allowed(covered)
    chosen = 1.0
    answered, false, other = 0, 0, 0
    for certainty, is_right, is_covered in scored:
        answered += bool(is_right)
        false += not is_covered
        other += bool(is_covered and not is_right)
        if false > most_false or other > most_other:
            break
        chosen = float(certainty)
    sys.stdout.write(
        f"threshold {chosen:.3f}: right {answered / covered:.3f}, "
        f"false {false - 1} of {bare}, other {other} of {covered}\n"
    )


def most_allowed(of: int) -> int:
    """Return how many may go wrong for the bound to stay below ``MOST_WRONG``."""
    return max(seen for seen in range(of // 50) if seen == 0 or upper_bound(seen, of) <= MOST_WRONG)


def _confidence(theta: Sequence[float], row: Sequence[float]) -> float:
    return 1 / (1 + exp(-theta[0] - sum(w * v for w, v in zip(theta[1:], row, strict=True))))


if __name__ == "__main__":
    main()
