"""Judge with questions whose author did not know how an answer is found: see ``README.md``.

``python -m benchmarks.knowledge.blind`` prints a table for every question; ``A`` or ``B`` behind it
for one half. Bounds are exact, one-sided, at 95 %.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from benchmarks.knowledge.bounds import lower_bound, upper_bound
from benchmarks.knowledge.corpus import Section, sections
from benchmarks.knowledge.looking import best_of, collection
from steadyhand.core.plugins import load

FILE = Path(__file__).with_name("blind.jsonl")
DEVELOPMENT = Path(__file__).with_name("development.jsonl")
"""More questions by the same author, written after the blind ones had been judged."""
SEED = "blind 2026-11-26"
COVERED, UNCOVERED = 560, 500
ANSWERED_BY_ANOTHER = (12, 80, 87, 187, 189, 203, 265, 302, 381, 491, 497, 501)
"""Drawn without an entry, but another section's entry answers all that one would ask about it
("Sorting Rows (ORDER BY)" beside the entry "ORDER BY Clause"). The next drawn took their place."""


class Blind(NamedTuple):
    """A question.

    Attributes:
        kind: ``covered``, ``uncovered`` (a section without an entry) or ``elsewhere``.
        style: How it is put, as its author says.
        section: What it asks about, empty for ``elsewhere``.
        question: Its text.
    """

    kind: str
    style: str
    section: str
    question: str

    @property
    def half(self) -> str:
        """``A`` or ``B``, by a hash of the text."""
        return "AB"[sha256(f"half {self.question}".encode()).digest()[0] % 2]


class Tally(NamedTuple):
    """What came of some questions."""

    name: str
    asked: int
    right: int
    wrong: int

    def row(self) -> str:
        """Return it as a row of Markdown."""
        return (
            f"| {self.name} | {self.asked} "
            f"| {self.right} = {self.right / self.asked:.1%} (≥ {_lowest(self)}) "
            f"| {self.wrong} = {self.wrong / self.asked:.2%} (≤ {_highest(self)}) "
            f"| {self.asked - self.right - self.wrong} |"
        )


def read(file: Path = FILE) -> list[Blind]:
    """Return every question of a file."""
    return [Blind(**json.loads(line)) for line in file.read_text().splitlines()]


def drawn() -> tuple[list[Section], list[Section]]:
    """Return the sections with and without an entry that questions were written for."""
    order = sorted(sections(), key=lambda s: sha256(f"{SEED} {s.id}".encode()).digest())
    bare = [section for section in order if not section.is_covered]
    kept = [section for n, section in enumerate(bare) if n not in ANSWERED_BY_ANOTHER]
    return [section for section in order if section.is_covered][:COVERED], kept[:UNCOVERED]


def judge(questions: Iterable[Blind]) -> list[Tally]:
    """Return a tally for each style with an entry, each without one, and for both in all."""
    threshold: float = load("steadyhand.routing.rungs", "knowledge").THRESHOLD
    index, ids = collection()
    asked, right, wrong = Counter[str](), Counter[str](), Counter[str]()
    for it in questions:
        has_entry = it.kind == "covered"
        side = "with an entry" if has_entry else "without"
        best = best_of(index, it.question)
        is_spoken = best is not None and best.confidence >= threshold
        is_right = is_spoken and has_entry and best is not None and ids[best.entry] == it.section
        for name in (f"**{side}**", f"{side}, {it.style if it.section else it.kind}"):
            asked[name] += 1
            right[name] += is_right
            wrong[name] += is_spoken and not is_right
    order = sorted(asked, key=lambda name: (not name.lstrip("*").startswith("with an"), name))
    return [Tally(name, asked[name], right[name], wrong[name]) for name in order]


def main(half: str = "") -> None:
    """Print the table."""
    tallies = judge(it for it in read() if not half or it.half == half)
    sys.stdout.write("| questions | n | answered right | answered wrong | unanswered |\n")
    sys.stdout.write("|---|---|---|---|---|\n")
    sys.stdout.writelines(tally.row() + "\n" for tally in tallies)


def _lowest(tally: Tally) -> str:
    return f"{lower_bound(tally.right, tally.asked):.1%}"


def _highest(tally: Tally) -> str:
    return f"{upper_bound(tally.wrong, tally.asked):.2%}"


if __name__ == "__main__":
    main(*sys.argv[1:2])
