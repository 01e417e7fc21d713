"""Find what a question means in an index. Pure; its work is bounded whatever is asked.

Entries that lack more than half of the question's weight are never spoken, so they need not be
looked at: candidates come from the rows of the rarest words only, as many as make up half of the
weight (the idea of MaxScore: Turtle and Flood 1995, "Query Evaluation"). Common words are then
looked up for those candidates alone.
"""

from bisect import bisect_left
from collections.abc import Sequence
from heapq import nlargest
from typing import NamedTuple

from msgspec.structs import replace

from steadyhand.knowledge.confidence import LEAST_COVERAGE, Evidence, confidence
from steadyhand.knowledge.index import IMPACT_ONE, Index, Numbers, weigh
from steadyhand.knowledge.model import Asker, Candidate, Found
from steadyhand.knowledge.spelling import guess
from steadyhand.knowledge.visibility import Filter
from steadyhand.knowledge.words import terms

MOST_TERMS = 40
"""Distinct terms of a question; more are a description, not a question."""
MOST_GUESSES = 4
MOST_LOOKED_AT = 12_000
"""Places in rows that are walked for candidates; the rarest words come first."""
WALK_UP_TO = 6
"""A row is walked if it is at most this many times as long as the list of candidates."""
LISTED = 8
"""Candidates whose phrasings are compared."""
GUESSED = 0.8
"""What a word counts for whose spelling was guessed at."""


class Word(NamedTuple):
    """A word of a question: its term in the index or ``None``, weight, and how sure the term is."""

    text: str
    term: int | None
    weight: float
    sure: float


def search(index: Index, question: str, asker: Asker, threshold: float) -> Found:
    """Return what ``question`` means to ``asker``, best first, and whether the first may be spoken.

    Args:
        index: The collection.
        question: Plain text.
        asker: Who asks.
        threshold: Least confidence to speak with, 0 to 1.
    """
    said = _read(index, question)
    shown = tuple((word.text, word.weight) for word in said)
    if not said or len(said) > MOST_TERMS:
        return Found("no_words" if not said else "too_many_words", (), shown)
    weight = sum(word.weight for word in said)
    covered = _cover(index, said, weight)
    withheld = [0, 0, 0]
    allowed = _allowed(covered, Filter(index, asker), withheld)
    kept = tuple(withheld)
    if not allowed:
        reason = "not_for_this_asker" if any(withheld) else "nothing_near"
        return Found(reason, (), shown, (kept[0], kept[1], kept[2]))
    candidates = _judge(index, said, weight, allowed)
    reason = "curated" if candidates[0].confidence >= threshold else "not_sure"
    return Found(reason, candidates, shown, (kept[0], kept[1], kept[2]))


def _read(index: Index, question: str) -> list[Word]:
    """Return the question's words, the rarest first."""
    said = []
    guesses = MOST_GUESSES
    for text in dict.fromkeys(terms(question)):
        term, sure = index.vocabulary.get(text), 1.0
        if term is None and guesses:
            guesses -= 1
            term, sure = guess(text, index), GUESSED
        weight = index.weight[term] if term is not None else weigh(text, 0, len(index))
        said.append(Word(text, term, weight, sure))
    return sorted(said, key=lambda word: -word.weight)


def _cover(index: Index, said: Sequence[Word], weight: float) -> dict[int, float]:
    """Return entries that ask about at least half of the question, with the weight they have."""
    least = LEAST_COVERAGE * weight
    left = weight
    walked = 0
    covered: dict[int, float] = {}
    for word in said:
        if word.term is not None:
            row = _asked_by(index, word.term)
            counts = word.weight * word.sure
            if left >= least and walked + len(row) <= MOST_LOOKED_AT:
                walked += len(row)
                for entry in row:
                    covered[entry] = covered.get(entry, 0.0) + counts
            else:
                covered = {entry: has for entry, has in covered.items() if has + left >= least}
                _top_up(covered, row, counts)
        left -= word.weight
    return {entry: has for entry, has in covered.items() if has >= least}


def _top_up(covered: dict[int, float], row: Numbers, counts: float) -> None:
    """Add ``counts`` to those of ``covered`` that are in ``row``, by the cheaper of two ways."""
    if len(row) <= WALK_UP_TO * len(covered):
        for entry in row:
            if entry in covered:
                covered[entry] += counts
        return
    for entry in covered:
        if _has(row, entry):
            covered[entry] += counts


def _has(row: Numbers, number: int) -> bool:
    at = bisect_left(row, number)
    return at < len(row) and row[at] == number


def _allowed(covered: dict[int, float], kept_back: Filter, withheld: list[int]) -> dict[int, float]:
    """Return what may be told; ``withheld`` counts the rest, by why."""
    allowed = {}
    for entry, has in covered.items():
        why = kept_back.keeps_back(entry)
        if why is None:
            allowed[entry] = has
        else:
            withheld[why] += 1
    return allowed


def _judge(
    index: Index, said: Sequence[Word], weight: float, allowed: dict[int, float]
) -> tuple[Candidate, ...]:
    """Return the best entries with their confidence, best first; at equal likeness by number."""
    lightest = index.lightest

    def likeness_at_most(entry: int) -> float:
        return 2 * allowed[entry] / (weight + lightest[entry] / 1000)

    near = nlargest(LISTED, sorted(allowed), key=likeness_at_most)
    counts = {word.term: word.weight * word.sure for word in said if word.term is not None}
    drawn = [_draw(index, said, weight, entry, counts) for entry in near]
    drawn.sort(key=lambda one: (-one.likeness, one.entry))
    candidates = []
    for place, one in enumerate(drawn):
        rivals = drawn[1:2] if place == 0 else drawn[:1]
        behind = one.likeness - max((rival.likeness for rival in rivals), default=0.0)
        evidence = replace(one.evidence, margin=behind / one.likeness if one.likeness else 0.0)
        candidates.append(
            Candidate(
                entry=one.entry,
                score=evidence.score,
                coverage=evidence.coverage,
                phrasing=evidence.phrasing,
                confidence=confidence(evidence),
            )
        )
    return tuple(candidates)


class _Drawn(NamedTuple):
    """An entry, the evidence for it but the margin, and the likeness that ranks it."""

    entry: int
    evidence: Evidence
    likeness: float


def _draw(
    index: Index, said: Sequence[Word], weight: float, entry: int, counts: dict[int, float]
) -> _Drawn:
    coverage = anywhere = score = missing = unknown = 0.0
    for word in said:
        if word.term is None:
            unknown += word.weight
            missing = max(missing, word.weight)
            continue
        impact = _impact(index, word.term, entry)
        anywhere += word.weight if impact else 0.0
        score += word.weight * word.sure * impact / IMPACT_ONE
        if impact and _has(_asked_by(index, word.term), entry):
            coverage += word.weight * word.sure
        else:
            missing = max(missing, word.weight)
    phrasing = max(_likeness(index, row, counts, weight) for row in _phrasings(index, entry))
    evidence = Evidence(
        coverage=coverage / weight,
        anywhere=anywhere / weight,
        phrasing=phrasing,
        score=score / weight,
        missing=missing / said[0].weight,
        unknown=unknown / weight,
        margin=1.0,
    )
    return _Drawn(entry, evidence, (evidence.coverage + phrasing + evidence.score) / 3)


def _asked_by(index: Index, term: int) -> Numbers:
    return index.found[index.found_at[term] : index.found_at[term + 1]]


def _impact(index: Index, term: int, entry: int) -> int:
    start, stop = index.hit_at[term], index.hit_at[term + 1]
    at = bisect_left(index.hit, entry, start, stop)
    return index.impact[at] if at < stop and index.hit[at] == entry else 0


def _phrasings(index: Index, entry: int) -> list[Numbers]:
    first, last = index.phrasing_at[entry], index.phrasing_at[entry + 1]
    starts = index.phrase_at
    return [index.phrase[starts[at] : starts[at + 1]] for at in range(first, last)]


def _likeness(index: Index, phrasing: Numbers, counts: dict[int, float], weight: float) -> float:
    """Return Dice's coefficient of a question and a phrasing, each word by its weight."""
    shared = sum(counts.get(term, 0.0) for term in phrasing)
    return 2 * shared / (weight + sum(index.weight[term] for term in phrasing))
