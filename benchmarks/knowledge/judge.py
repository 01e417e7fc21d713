"""Judge what is spoken at the default threshold on questions that calibrated nothing.

``python -m benchmarks.knowledge.judge`` prints a table for a collection that names the subjects on
which it has no answer, on the fresh questions; with ``--alone`` for one that does not, on the old.
Bounds are exact, one-sided, at 95 %.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.knowledge.bounds import lower_bound, upper_bound
from benchmarks.knowledge.looking import best_of, collection
from benchmarks.knowledge.questions import FILE, FRESH, read
from steadyhand.core.plugins import load

KINDS = ("covered", "chatty", "neighbour", "product", "between", "everyday", "chat")
HALVES = ("calibrate", "judge")
"""Whose sentences and sections: see ``phrasings.py``."""
WITHOUT = ("neighbour", "product", "between", "everyday", "chat")


class Verdict(NamedTuple):
    """What came of the questions of one kind."""

    kind: str
    asked: int
    right: int
    wrong: int

    def row(self) -> str:
        """Return it as a row of Markdown."""
        right = f"{self.right / self.asked:.1%} (≥ {lower_bound(self.right, self.asked):.1%})"
        wrong = f"{self.wrong / self.asked:.2%} (≤ {upper_bound(self.wrong, self.asked):.2%})"
        said = "-" if self.kind in (*WITHOUT, "without an entry") else right
        return f"| {self.kind} | {self.asked:,} | {said} | {wrong} |"


def verdicts(
    halves: Sequence[str] = HALVES, file: Path = FRESH, *, subjects: bool = True
) -> tuple[int, list[Verdict]]:
    """Return the size of the collection, and a verdict for each kind and for all without entry."""
    threshold: float = load("steadyhand.routing.rungs", "knowledge").THRESHOLD
    index, ids = collection(subjects=subjects)
    asked_of, right, wrong = Counter[str](), Counter[str](), Counter[str]()
    for asked in read(file):
        if asked.half not in halves:
            continue
        best = best_of(index, asked.text)
        asked_of[asked.kind] += 1
        if best is not None and best.confidence >= threshold:
            is_right = ids[best.entry] == asked.right
            right[asked.kind] += is_right
            wrong[asked.kind] += not is_right
    each = [Verdict(kind, asked_of[kind], right[kind], wrong[kind]) for kind in KINDS]
    bare = [verdict for verdict in each if verdict.kind in WITHOUT]
    total = Verdict("without an entry", sum(v.asked for v in bare), 0, sum(v.wrong for v in bare))
    return len(ids), [*each, total]


def main() -> None:
    """Print the tables."""
    alone = "--alone" in sys.argv
    rounds = [("judge",)] if alone else [HALVES, ("judge",)]
    for halves in rounds:
        entries, found = verdicts(halves, FILE if alone else FRESH, subjects=not alone)
        sys.stdout.write(f"{entries:,} entries and subjects, {' and '.join(halves)}\n\n")
        sys.stdout.write("| questions | n | answered right | answered wrong |\n|---|---|---|---|\n")
        sys.stdout.writelines(verdict.row() + "\n" for verdict in found)


if __name__ == "__main__":
    main()
