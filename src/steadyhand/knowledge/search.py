"""Find what a question means in an index. Pure; its work is bounded whatever is asked.

Entries that lack more than this of the question's weight are never spoken, so they need not be
looked at: candidates come from the rows of the rarest words only, as many as make up half of the
weight (the idea of MaxScore: Turtle and Flood 1995, "Query Evaluation"). Common words are then
looked up for those candidates alone.
"""

import re
from collections.abc import Sequence
from heapq import nlargest

from msgspec.structs import replace

from steadyhand.knowledge.confidence import ALONE, AMONG_SUBJECTS, LEAST_COVERAGE, confidence
from steadyhand.knowledge.evidence import (
    Word,
    asked_by,
    draw,
    holds,
    impact_of,
    likeness,
    phrasings,
)
from steadyhand.knowledge.index import Index, Numbers, aside_weight, weigh
from steadyhand.knowledge.model import Asker, Candidate, Found
from steadyhand.knowledge.spelling import guess
from steadyhand.knowledge.visibility import Filter
from steadyhand.knowledge.words import STOP, is_light, stem, words

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
SUBJECT = 0.3
"""What a second subject weighs at least, as a share of the question's heaviest word: "columns" may
be an entry, and is none in "macaddr column type"."""
GUESSED = 0.8
"""What a word counts for whose spelling was guessed at."""


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
    covered = _cover(index, said)
    withheld = [0, 0, 0]
    allowed = _allowed(covered, Filter(index, asker), withheld)
    kept = tuple(withheld)
    if not allowed:
        reason = "not_for_this_asker" if any(withheld) else "nothing_near"
        return Found(reason, (), shown, (kept[0], kept[1], kept[2]))
    candidates = _judge(index, said, allowed)
    if candidates[0].entry >= index.spoken:
        return Found("another_subject", candidates, shown, (kept[0], kept[1], kept[2]))
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
        said.append(Word(text, term, weight, aside_weight(text, weight, len(index)), sure, at))
    return sorted(said, key=lambda word: -word.weight)


def _spaced(question: str) -> list[str]:
    """Return the words, with an empty one at each break: words on its two sides do not touch."""
    return [word for part in _BREAK.split(question) for word in (*words(part), "")]


def _cover(index: Index, said: Sequence[Word]) -> dict[int, float]:
    """Return entries that ask about enough of the question, with the weight they have.

    A word that an entry asks about counts with its weight, another with what it weighs aside. So
    the share ``met / (met + aside of the rest)`` is large enough if these gains reach ``least``.
    """
    least = LEAST_COVERAGE * sum(word.aside for word in said if len(asked_by(index, word.term)))
    left = sum(_gain(word) for word in said if word.term is not None)
    walked = 0
    covered: dict[int, float] = {}
    for word in said:
        if word.term is None:
            continue
        row = asked_by(index, word.term)
        gain = _gain(word)
        if left >= least and walked + len(row) <= MOST_LOOKED_AT:
            walked += len(row)
            for entry in row:
                covered[entry] = covered.get(entry, 0.0) + gain
        else:
            covered = {entry: has for entry, has in covered.items() if has + left >= least}
            _top_up(covered, row, gain)
        left -= gain
    return {entry: has for entry, has in covered.items() if has >= least}


def _gain(word: Word) -> float:
    return word.weight * word.sure - LEAST_COVERAGE * (word.weight * word.sure - word.aside)


def _top_up(covered: dict[int, float], row: Numbers, counts: float) -> None:
    """Add ``counts`` to those of ``covered`` that are in ``row``, by the cheaper of two ways."""
    if len(row) <= WALK_UP_TO * len(covered):
        for entry in row:
            if entry in covered:
                covered[entry] += counts
        return
    for entry in covered:
        if holds(row, entry):
            covered[entry] += counts


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
    among = AMONG_SUBJECTS if index.spoken < len(index) else ALONE
    weight = sum(word.aside for word in said)

    def likeness_at_most(entry: int) -> float:
        return 2 * allowed[entry] / (weight + lightest[entry] / 1000)

    near = nlargest(LISTED, sorted(allowed), key=likeness_at_most)
    counts = {word.term: word.weight * word.sure for word in said if word.term is not None}
    drawn = [draw(index, said, entry, counts) for entry in near]
    drawn.sort(key=lambda one: (-one.likeness, one.entry))
    candidates = []
    for place, one in enumerate(drawn):
        rivals = drawn[1:2] if place == 0 else drawn[:1]
        behind = one.likeness - max((rival.likeness for rival in rivals), default=0.0)
        evidence = replace(
            one.evidence,
            margin=behind / one.likeness if one.likeness else 0.0,
        )
        candidates.append(Candidate(one.entry, evidence, confidence(evidence, among)))
    return tuple(candidates)


def _is_left(index: Index, word: Word, entry: int) -> bool:
    """Tell whether others ask about a word that says something, and ``entry`` does not say it."""
    row = asked_by(index, word.term)
    if is_light(word.text) or len(row) == 0 or holds(row, entry):
        return False
    return word.term is not None and not impact_of(index, word.term, entry)


def _is_about_another(index: Index, said: Sequence[Word], entry: int) -> bool:
    """Tell whether what ``entry`` does not ask about is another entry's whole question.

    Of two subjects, an answer to one is no answer: "how do views and locks play together".
    """
    rest = [word for word in said if _is_left(index, word, entry)]
    weight = sum(word.aside for word in rest)
    counts = {word.term: word.weight for word in rest if word.term is not None}
    covered = _cover(index, rest)

    def closeness(other: int) -> float:
        return covered[other] - index.lightest[other] / 1000

    least = SUBJECT * max(word.weight for word in said)

    def is_subject(other: int) -> bool:
        asked = (word.aside for word in rest if holds(asked_by(index, word.term), other))
        return sum(asked) >= least

    near = nlargest(LISTED, sorted(covered), key=closeness)
    return any(
        likeness(index, row, counts, weight)[1] >= WHOLE
        for other in filter(is_subject, near)
        for row in phrasings(index, other)
    )
