"""Find what a question means in an index. Pure; its work is bounded whatever is asked.

Entries that lack more than this of the question's weight are never spoken, so they need not be
looked at: candidates come from the rows of the rarest words only, as many as make up half of the
weight (the idea of MaxScore: Turtle and Flood 1995, "Query Evaluation"). Common words are then
looked up for those candidates alone.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from heapq import nlargest
from typing import NamedTuple

from msgspec.structs import replace

from steadyhand.knowledge.confidence import LEAST_COVERAGE, confidence
from steadyhand.knowledge.index import IMPACT_ONE, Index, Numbers, aside_weight, weigh
from steadyhand.knowledge.model import Asker, Candidate, Evidence, Found
from steadyhand.knowledge.spelling import guess
from steadyhand.knowledge.visibility import Filter
from steadyhand.knowledge.words import LIGHT_WEIGHT, STOP, stem, words

_BREAK = re.compile(r"[,;:!?()\[\]\n–—]+|\.\s")

MOST_TERMS = 40
"""Distinct terms of a question; more are a description, not a question."""
MOST_GUESSES = 4
MOST_LOOKED_AT = 12_000
"""Places in rows that are walked for candidates; the rarest words come first."""
WALK_UP_TO = 6
"""A row is walked if it is at most this many times as long as the list of candidates."""
LISTED = 8
"""Candidates whose phrasings are compared."""
WHOLE = 0.9
"""Share of a phrasing that is as good as all of it: light words may be missing."""
GUESSED = 0.8
"""What a word counts for whose spelling was guessed at."""


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
    covered = _cover(index, said, sum(word.aside for word in said))
    withheld = [0, 0, 0]
    allowed = _allowed(covered, Filter(index, asker), withheld)
    kept = tuple(withheld)
    if not allowed:
        reason = "not_for_this_asker" if any(withheld) else "nothing_near"
        return Found(reason, (), shown, (kept[0], kept[1], kept[2]))
    candidates = _judge(index, said, allowed)
    reason = "curated" if candidates[0].confidence >= threshold else "not_sure"
    if reason == "curated" and _is_about_another(index, said, candidates[0].entry):
        reason = "two_subjects"
    return Found(reason, candidates, shown, (kept[0], kept[1], kept[2]))


def _read(index: Index, question: str) -> list[Word]:
    """Return the question's words, the rarest first."""
    said = []
    guesses = MOST_GUESSES
    places: dict[str, tuple[str, int]] = {}
    for at, word in enumerate(_spaced(question)):
        if word and word not in STOP:
            places.setdefault(stem(word), (word, at))
    for text, (word, at) in places.items():
        term, sure = index.vocabulary.get(text), 1.0
        if term is None and guesses:
            guesses -= 1
            term, sure = guess(word, index), GUESSED
        weight = index.weight[term] if term is not None else weigh(text, 0, len(index))
        said.append(Word(text, term, weight, aside_weight(text, weight), sure, at))
    return sorted(said, key=lambda word: -word.aside)


def _spaced(question: str) -> list[str]:
    """Return the words, with an empty one at each break: words on its two sides do not touch."""
    return [word for part in _BREAK.split(question) for word in (*words(part), "")]


def _cover(index: Index, said: Sequence[Word], weight: float) -> dict[int, float]:
    """Return entries that ask about at least half of the question, with the weight they have."""
    least = LEAST_COVERAGE * weight
    left = weight
    walked = 0
    covered: dict[int, float] = {}
    for word in said:
        if word.term is not None:
            row = _asked_by(index, word.term)
            counts = word.aside * word.sure
            if left >= least and walked + len(row) <= MOST_LOOKED_AT:
                walked += len(row)
                for entry in row:
                    covered[entry] = covered.get(entry, 0.0) + counts
            else:
                covered = {entry: has for entry, has in covered.items() if has + left >= least}
                _top_up(covered, row, counts)
        left -= word.aside
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


def _judge(index: Index, said: Sequence[Word], allowed: dict[int, float]) -> tuple[Candidate, ...]:
    """Return the best entries with their confidence, best first; at equal likeness by number."""
    lightest = index.lightest
    weight = sum(word.aside for word in said)

    def likeness_at_most(entry: int) -> float:
        return 2 * allowed[entry] / (weight + lightest[entry] / 1000)

    near = nlargest(LISTED, sorted(allowed), key=likeness_at_most)
    counts = {word.term: word.weight * word.sure for word in said if word.term is not None}
    drawn = [_draw(index, said, entry, counts) for entry in near]
    drawn.sort(key=lambda one: (-one.likeness, one.entry))
    candidates = []
    for place, one in enumerate(drawn):
        rivals = drawn[1:2] if place == 0 else drawn[:1]
        behind = one.likeness - max((rival.likeness for rival in rivals), default=0.0)
        evidence = replace(
            one.evidence,
            margin=behind / one.likeness if one.likeness else 0.0,
        )
        candidates.append(Candidate(one.entry, evidence, confidence(evidence)))
    return tuple(candidates)


class _Drawn(NamedTuple):
    """An entry, the evidence for it but the margin, and the likeness that ranks it."""

    entry: int
    evidence: Evidence
    likeness: float


def _draw(index: Index, said: Sequence[Word], entry: int, counts: dict[int, float]) -> _Drawn:
    coverage = score = 0.0
    met, absent = set(), []
    for word in said:
        impact = 0 if word.term is None else _impact(index, word.term, entry)
        score += word.weight * word.sure * impact / IMPACT_ONE
        if word.term is not None and impact and _has(_asked_by(index, word.term), entry):
            coverage += word.weight * word.sure
            met.add(word.at)
        else:
            absent.append(word)
    # Next to a word that is met, an absent one changes what is asked: "recursive queries".
    near = [word for word in absent if not met.isdisjoint((word.at - 1, word.at + 1))]
    against = {word.at: word.weight if word in near else word.aside for word in absent}
    weight = sum(word.weight for word in said if word.at in met) + sum(against.values())
    astray = sum(against[word.at] for word in absent if word.term is not None)
    likes = [_likeness(index, row, counts, weight) for row in _phrasings(index, entry)]
    phrasing = max(dice for dice, _ in likes)
    evidence = Evidence(
        coverage=coverage / weight,
        phrasing=phrasing,
        contained=max(contained for _, contained in likes),
        score=score / weight,
        missing=max(against.values(), default=0.0) / max(word.weight for word in said),
        astray=astray / weight,
        unknown=sum(against[word.at] for word in absent if word.term is None) / weight,
        margin=1.0,
    )
    return _Drawn(entry, evidence, (evidence.coverage + phrasing + evidence.score) / 3)


def _is_left(index: Index, word: Word, entry: int) -> bool:
    """Tell whether a word that says something is asked about by others, and not by ``entry``."""
    row = _asked_by(index, word.term)
    return word.weight > LIGHT_WEIGHT and len(row) > 0 and not _has(row, entry)


def _is_about_another(index: Index, said: Sequence[Word], entry: int) -> bool:
    """Tell whether what ``entry`` does not ask about is another entry's whole question.

    Of two subjects, an answer to one is no answer: "how do views and locks play together".
    """
    rest = [word for word in said if _is_left(index, word, entry)]
    weight = sum(word.aside for word in rest)
    counts = {word.term: word.weight for word in rest if word.term is not None}
    covered = _cover(index, rest, weight)

    def closeness(other: int) -> float:
        return covered[other] - index.lightest[other] / 1000

    near = nlargest(LISTED, sorted(covered), key=closeness)
    return any(
        _likeness(index, row, counts, weight)[1] >= WHOLE
        for other in near
        for row in _phrasings(index, other)
    )


def _asked_by(index: Index, term: int | None) -> Numbers:
    """Return the entries that have ``term`` in a question or heading; none for no term."""
    if term is None:
        return index.found[:0]
    return index.found[index.found_at[term] : index.found_at[term + 1]]


def _impact(index: Index, term: int, entry: int) -> int:
    start, stop = index.hit_at[term], index.hit_at[term + 1]
    at = bisect_left(index.hit, entry, start, stop)
    return index.impact[at] if at < stop and index.hit[at] == entry else 0


def _phrasings(index: Index, entry: int) -> list[Numbers]:
    first, last = index.phrasing_at[entry], index.phrasing_at[entry + 1]
    starts = index.phrase_at
    return [index.phrase[starts[at] : starts[at + 1]] for at in range(first, last)]


def _likeness(
    index: Index, phrasing: Numbers, counts: dict[int, float], weight: float
) -> tuple[float, float]:
    """Compare a question with a phrasing, each word by its weight.

    Returns:
        Dice's coefficient of the two, and how much of the phrasing is in the question.
    """
    shared = sum(counts.get(term, 0.0) for term in phrasing)
    own = sum(index.weight[term] for term in phrasing)
    return 2 * shared / (weight + own), shared / own if own else 0.0
