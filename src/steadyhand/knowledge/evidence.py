"""What speaks for one entry as the answer to a question. Pure.

A word that stands in an entry's questions or headings is *met*; one that only its answer, its
source or its id has is *backed*: hardly the subject, but not another subject either. All others
speak against it.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from steadyhand.knowledge.index import IMPACT_ONE, Index, Numbers, weigh
from steadyhand.knowledge.model import Evidence
from steadyhand.knowledge.words import is_light

BACKED = 0.3
"""What a word counts for that an entry's answer has and its questions do not: it is hardly the
subject, and no other subject either."""
SPECIFIC = 1.3
"""Shared words say half of what they can if they weigh as many words that no entry has: in a small
collection all words weigh little."""


class Word(NamedTuple):
    """A word of a question.

    Attributes:
        text: As the index would have it.
        term: Its number, or ``None`` if no entry has it.
        weight: How much it says.
        aside: What it weighs where it is beside the point: less if common, as it may be talk.
        sure: How sure the term is: less if the spelling was guessed at.
        at: Its place in the question; stop words and breaks take a place, too.
    """

    text: str
    term: int | None
    weight: float
    aside: float
    sure: float
    at: int


class Drawn(NamedTuple):
    """An entry, the evidence for it but the margin, and the likeness that ranks it."""

    entry: int
    evidence: Evidence
    likeness: float


def draw(index: Index, said: Sequence[Word], entry: int, counts: dict[int, float]) -> Drawn:
    """Return what speaks for ``entry``.

    Args:
        index: The collection.
        said: The words of the question.
        entry: Number of the entry.
        counts: What each term of the question weighs, doubts about its spelling included.
    """
    coverage = score = backed = whole = 0.0
    met, absent = set(), []
    for word in said:
        impact = 0 if word.term is None else impact_of(index, word.term, entry)
        score += word.weight * word.sure * impact / IMPACT_ONE
        if word.term is not None and impact and holds(asked_by(index, word.term), entry):
            coverage += word.weight * word.sure
            met.add(word.at)
        elif impact:
            backed += word.aside
            whole += word.weight
        elif word.term is not None or not is_light(word.text):
            absent.append(word)
    # Next to a word that is met, an absent one changes what is asked: "recursive queries".
    near = [word for word in absent if not met.isdisjoint((word.at - 1, word.at + 1))]
    against = {word.at: word.weight if word in near else word.aside for word in absent}
    weight = sum(word.weight for word in said if word.at in met) + sum(against.values())
    whole += weight
    weight += BACKED * backed
    astray = sum(against[word.at] for word in absent if word.term is not None)
    likes = [likeness(index, row, counts, weight) for row in phrasings(index, entry)]
    phrasing = max(dice for dice, _, _ in likes)
    rarest = SPECIFIC * weigh("", 0, len(index))
    evidence = Evidence(
        coverage=coverage / weight,
        phrasing=phrasing,
        contained=max(contained for _, contained, _ in likes),
        specific=max(shared / (shared + rarest) for _, _, shared in likes),
        score=min(1.0, score / whole),
        missing=max(against.values(), default=0.0) / max(word.weight for word in said),
        astray=astray / weight,
        unknown=sum(against[word.at] for word in absent if word.term is None) / weight,
        margin=1.0,
    )
    return Drawn(entry, evidence, (phrasing + evidence.contained + evidence.score) / 3)


def asked_by(index: Index, term: int | None) -> Numbers:
    """Return the entries that have ``term`` in a question or heading; none for no term."""
    if term is None:
        return index.found[:0]
    return index.found[index.found_at[term] : index.found_at[term + 1]]


def impact_of(index: Index, term: int, entry: int) -> int:
    """Return the thousandths of its weight that ``term`` has in ``entry``; 0 if it is not there."""
    start, stop = index.hit_at[term], index.hit_at[term + 1]
    at = bisect_left(index.hit, entry, start, stop)
    return index.impact[at] if at < stop and index.hit[at] == entry else 0


def phrasings(index: Index, entry: int) -> list[Numbers]:
    """Return the terms of each phrasing of ``entry``."""
    first, last = index.phrasing_at[entry], index.phrasing_at[entry + 1]
    starts = index.phrase_at
    return [index.phrase[starts[at] : starts[at + 1]] for at in range(first, last)]


def likeness(
    index: Index, phrasing: Numbers, counts: dict[int, float], weight: float
) -> tuple[float, float, float]:
    """Compare a question with a phrasing, each word by its weight.

    Returns:
        Dice's coefficient of the two, how much of the phrasing is in the question, and what the
        words that they share weigh.
    """
    shared = sum(counts.get(term, 0.0) for term in phrasing)
    own = sum(index.weight[term] for term in phrasing)
    return 2 * shared / (weight + own), shared / own if own else 0.0, shared


def holds(row: Numbers, number: int) -> bool:
    """Tell whether ``number`` is in an ascending ``row``."""
    at = bisect_left(row, number)
    return at < len(row) and row[at] == number
