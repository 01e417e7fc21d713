"""What a claim has in the text that it should stand in: features for the score. Pure.

A context is read once for each answer. For each claim up to three of its sentences are chosen that
together carry most of the claim's weight; a word weighs the more the fewer sentences have it, and
most if none has. No model is asked and nothing is random: the same claim and context have the same
features for ever.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import log
from typing import Final, NamedTuple

from steadyhand.evals.grounding.words import STOP, is_number, seen, sentences, term_of, words

MOST_SENTENCES: Final = 2_000
"""Sentences of a context that are read; what comes after them is not known."""
MOST_CHOSEN: Final = 3
NEIGHBOURS: Final = 4
"""Sentences of one window; see :attr:`Features.near`."""
LEAST_QUOTED: Final = 6
"""Words from which an exact quote proves a claim."""
_GAIN: Final = 0.02
_LONGEST: Final = 250
_SAME_MATTER: Final = 0.6
"""Part of a claim that a sentence must carry before a denial in one of them is held against it."""

_NEGATORS = (
    "no not never none nobody nothing neither nor cannot without fail fails failed denied denies"
    " deny unable false lacks lacked"
)
NEGATORS: Final = frozenset(_NEGATORS.split())
_OPPOSITES: Final = tuple(
    frozenset(term_of(word) for word in pair.split())
    for pair in (
        "increase decrease", "increased decreased", "rise fall", "rose fell", "higher lower",
        "more fewer", "more less", "before after", "above below", "minimum maximum", "win lose",
        "won lost", "accept reject", "accepted rejected", "enable disable", "enabled disabled",
        "allow forbid", "allowed forbidden", "open closed", "start end", "first last",
        "oldest youngest", "largest smallest", "north south", "east west", "include exclude",
        "required optional", "positive negative", "promote inhibit", "promotes inhibits",
    )
)  # fmt: skip
_OTHER: Final[Mapping[str, frozenset[str]]] = {
    term: frozenset(other for pair in _OPPOSITES if term in pair for other in pair if other != term)
    for pair in _OPPOSITES
    for term in pair
}


class Sentence(NamedTuple):
    """One sentence of a context, read.

    Attributes:
        segment: Which of the context's segments it is of.
        tokens: Terms in order, structure words included.
        terms: Those with content.
        has_negation: Whether it denies something.
    """

    segment: int
    tokens: tuple[str, ...]
    terms: frozenset[str]
    has_negation: bool


class Features(NamedTuple):
    """What a claim has in its context; each from 0 to 1.

    Attributes:
        quote: The claim stands in one sentence, word for word.
        coverage: Part of its weight that the chosen sentences carry.
        near: Part that the best few neighbouring sentences carry; what is gathered from far apart
            is seldom what the context says.
        best: Part that the best sentence carries alone.
        anywhere: Part that the context has in whatever place.
        pairs: Part of its neighbouring words that are neighbours in the context as well.
        run: Length of its longest run of words that stands in a chosen sentence, as a part of it.
        names: Part of its names' weight that the chosen sentences lack.
        numbers: Part of its numbers that the chosen sentences lack.
        absent_numbers: Part of its numbers that the context lacks.
        negation: It denies what the best sentence says, or the other way round.
        direction: It says the opposite of a word that the best sentence has.
    """

    quote: float
    coverage: float
    near: float
    best: float
    anywhere: float
    pairs: float
    run: float
    names: float
    numbers: float
    absent_numbers: float
    negation: float
    direction: float


NOTHING: Final = Features(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0)
"""Features of a claim of which nothing stands anywhere."""


class Found(NamedTuple):
    """Features of a claim, and where they are from.

    Attributes:
        features: See :class:`Features`.
        sentences: Numbers of the chosen sentences, the best first.
    """

    features: Features
    sentences: Sequence[int]


class Context:
    """Text that answers should stand in, read once."""

    def __init__(self, segments: Iterable[str]) -> None:
        """Read segments: documents, passages, results of tools."""
        self.sentences: list[Sentence] = []
        counts: Counter[str] = Counter()
        self._pairs: set[tuple[str, str]] = set()
        self._where: dict[str, list[int]] = {}
        for number, segment in enumerate(segments):
            for text in sentences(seen(segment)):
                if len(self.sentences) >= MOST_SENTENCES:
                    break
                found = read(text, number)
                if not found.tokens:
                    continue
                at = len(self.sentences)
                self.sentences.append(found)
                counts.update(found.terms)
                self._pairs.update(pairwise(found.tokens))
                for term in found.terms:
                    self._where.setdefault(term, []).append(at)
        total = len(self.sentences)
        self._most = log(1 + total / 0.5)
        self._weights = {term: log(1 + total / count) for term, count in counts.items()}

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to stand in."""
        return not self.sentences

    def weight(self, term: str) -> float:
        """Return what a term weighs; those that the context lacks weigh most."""
        return self._weights.get(term, self._most)

    def check(self, claim: str) -> Found:
        """Return what a claim has here."""
        asked = read(claim, 0)
        weights = {term: self.weight(term) for term in sorted(asked.terms)}
        whole = sum(weights.values())
        if not whole or self.is_empty:
            return Found(NOTHING, ())
        chosen = self._chosen(weights, whole)
        carried: set[str] = set().union(*(self.sentences[at].terms for at in chosen))
        best = self.sentences[chosen[0]] if chosen else None
        numbers = [term for term in weights if is_number(term)]
        names = [term for term in names_of(claim) if term in weights]
        known = self._weights
        alone = 0.0 if best is None else _part(weights, whole, best.terms)
        run = max((_run(asked.tokens, self.sentences[at].tokens) for at in chosen), default=0)
        return Found(
            Features(
                quote=float(run == len(asked.tokens) and run >= LEAST_QUOTED),
                coverage=_part(weights, whole, carried),
                near=self._near(weights) / whole,
                best=alone,
                anywhere=_part(weights, whole, known),
                pairs=self._paired(asked.tokens),
                run=run / len(asked.tokens),
                names=_lacking(names, carried, weights),
                numbers=_lacking(numbers, carried),
                absent_numbers=_lacking(numbers, known),
                negation=_denied(asked, best) * (alone if alone >= _SAME_MATTER else 0.0),
                direction=_turned(asked, best) * (alone if alone >= _SAME_MATTER else 0.0),
            ),
            chosen,
        )

    def _chosen(self, weights: Mapping[str, float], whole: float) -> list[int]:
        """Choose sentences one after the other, each for what those before it do not carry."""
        left = dict(weights)
        chosen: list[int] = []
        while len(chosen) < MOST_CHOSEN and left:
            gains: dict[int, float] = {}
            for term, weight in left.items():
                for at in self._where.get(term, ()):
                    gains[at] = gains.get(at, 0.0) + weight
            if not gains:
                break
            best = max(gains, key=lambda at: (gains[at], -at))
            if chosen and gains[best] < _GAIN * whole:
                break
            chosen.append(best)
            for term in self.sentences[best].terms:
                left.pop(term, None)
        return chosen

    def _near(self, weights: Mapping[str, float]) -> float:
        """Return the weight that the best window of neighbouring sentences carries."""
        hits: dict[int, list[str]] = {}
        for term in weights:
            for at in self._where.get(term, ()):
                hits.setdefault(at, []).append(term)
        most = 0.0
        for begin in hits:
            segment, there = self.sentences[begin].segment, set[str]()
            for at in range(begin, min(begin + NEIGHBOURS, len(self.sentences))):
                if self.sentences[at].segment == segment:
                    there.update(hits.get(at, ()))
            most = max(most, sum(weights[term] for term in sorted(there)))
        return most

    def _paired(self, tokens: Sequence[str]) -> float:
        pairs = [*pairwise(tokens)]
        return sum(pair in self._pairs for pair in pairs) / len(pairs) if pairs else 0.0


def read(text: str, segment: int) -> Sentence:
    """Read one sentence that was made seen."""
    written = words(text)[:_LONGEST]
    tokens = tuple(map(term_of, written))
    terms = frozenset(
        term for word, term in zip(written, tokens, strict=True) if word.lower() not in STOP
    )
    return Sentence(segment, tokens, terms, any(map(_is_negator, written)))


def names_of(claim: str) -> list[str]:
    """Return terms of words that are written as names, the first word of the claim left out."""
    return [
        term_of(word) for word in words(claim)[1:] if word[0].isupper() and word.lower() not in STOP
    ]


def _is_negator(word: str) -> bool:
    folded = word.lower().replace("\u2019", "'")
    return folded in NEGATORS or folded.endswith("n't")


def _part(weights: Mapping[str, float], whole: float, there: Iterable[str]) -> float:
    have = there if isinstance(there, dict | set | frozenset) else set(there)
    return sum(weight for term, weight in weights.items() if term in have) / whole


def _lacking(
    terms: Sequence[str], there: Iterable[str], weights: Mapping[str, float] | None = None
) -> float:
    if not terms:
        return 0.0
    have = there if isinstance(there, dict | set | frozenset) else set(there)
    if weights is None:
        return sum(term not in have for term in terms) / len(terms)
    whole = sum(weights[term] for term in terms)
    return sum(weights[term] for term in terms if term not in have) / whole


def _run(claim: Sequence[str], sentence: Sequence[str]) -> int:
    """Return the length of the longest run of words that both have."""
    longest = 0
    before: list[int] = [0] * (len(sentence) + 1)
    places: dict[str, list[int]] = {}
    for at, token in enumerate(sentence):
        places.setdefault(token, []).append(at)
    for token in claim:
        now = [0] * (len(sentence) + 1)
        for at in places.get(token, ()):
            now[at + 1] = before[at] + 1
            longest = max(longest, now[at + 1])
        before = now
    return longest


def _denied(claim: Sentence, best: Sentence | None) -> float:
    return float(best is not None and claim.has_negation != best.has_negation)


def _turned(claim: Sentence, best: Sentence | None) -> float:
    if best is None:
        return 0.0
    return float(
        any(
            term not in best.tokens and not _OTHER[term].isdisjoint(best.tokens)
            for term in claim.tokens
            if term in _OTHER
        )
    )
