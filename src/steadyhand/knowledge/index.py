"""Compile entries into an index: postings with BM25F impacts, and phrasings term by term. Pure.

BM25F weighs a term's frequency by field before it saturates: a word in a question counts more than
one in an answer, and three fields do not count three times. Source: Robertson and Zaragoza (2009),
"The Probabilistic Relevance Framework: BM25 and Beyond", section 3.6. All that does not depend on
the question is computed here, so that a search adds up small integers.
"""

import re
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import log
from typing import TypeAlias, TypeVar

from steadyhand.knowledge.common_words import common_stems
from steadyhand.knowledge.model import Entry
from steadyhand.knowledge.words import (
    COMPARING_TERMS,
    LIGHT_SHARE,
    STOP,
    is_light,
    stem,
    terms,
    words,
)

K1 = 1.2
"""Saturation of a term's frequency (section 3.5: 1.2 to 2 suit most collections)."""

FIELDS = ("questions", "headings", "answer")
WEIGHTS = (3.0, 2.0, 1.0)
LENGTH_B = (0.4, 0.4, 0.75)
"""How much a field's length discounts it; a list of phrasings is long because it is good."""

COMMON_SHARE = 0.2
"""What a common word weighs at most against an entry that does not ask about it, as a share of what
a word weighs that no entry has: in a small collection every word weighs little."""

IMPACT_ONE = 1000
"""Impacts are thousandths: a term whose frequency is without bound has this one."""

_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t#]*$", re.M)


Numbers: TypeAlias = "memoryview[int]"
"""A flat row of unsigned 32-bit integers; of a loaded index, a view of the file's bytes."""

_Name = TypeVar("_Name", str, tuple[str, ...])

Weights: TypeAlias = "memoryview[float]"
"""A flat row of 64-bit floats, likewise."""


@dataclass(frozen=True, slots=True)
class Index:
    """A collection, ready to be searched. Rows are flat: ``x_at[i]`` to ``x_at[i + 1]`` is row i.

    Attributes:
        vocabulary: Term → its number.
        spelled: Word as it is written in a question or heading → its term.
        weight: Term → how much it says, by how few entries ask about it.
        found_at: Term → where its row of ``found`` begins; one more at the end.
        found: Entries that have the term in a question or heading, ascending.
        hit_at: Term → where its row of ``hit`` begins; one more at the end.
        hit: Entries that have the term anywhere, ascending.
        impact: Beside ``hit``: thousandths of the term's weight.
        phrasing_at: Entry → where its row of ``phrase_at`` begins; one more at the end.
        phrase_at: Phrasing → where its row of ``phrase`` begins; one more at the end.
        phrase: Terms of a phrasing, each once.
        lightest: Entry → weight of its shortest phrasing, in thousandths.
        audience: Entry → its row of ``audiences``.
        audiences: Tenants who may be told; empty for everybody.
        locale: Entry → its row of ``locales``.
        locales: Language tags.
        expires_day: Entry → last day on which it may be said, or ``NEVER``.
        text_at: Entry → where its bytes begin in ``texts``; one more at the end.
        texts: The entries themselves, encoded one by one.
        spoken: How many have an answer; they come first, and the silent ones after them.
    """

    vocabulary: dict[str, int]
    spelled: dict[str, int]
    weight: Weights
    found_at: Numbers
    found: Numbers
    hit_at: Numbers
    hit: Numbers
    impact: Numbers
    phrasing_at: Numbers
    phrase_at: Numbers
    phrase: Numbers
    lightest: Numbers
    audience: Numbers
    audiences: tuple[tuple[str, ...], ...]
    locale: Numbers
    locales: tuple[str, ...]
    expires_day: Numbers
    text_at: Numbers
    texts: "memoryview[int]"
    spoken: int

    def __len__(self) -> int:
        """Return how many entries there are."""
        return len(self.expires_day)

    def text(self, entry: int) -> "memoryview[int]":
        """Return an entry as it was encoded."""
        return self.texts[self.text_at[entry] : self.text_at[entry + 1]]


@dataclass(frozen=True, slots=True)
class _Fields:
    """An entry as term counts of each field, and the terms of each phrasing."""

    counts: tuple[Counter[str], ...]
    phrasings: tuple[tuple[str, ...], ...]

    @property
    def asked(self) -> set[str]:
        """Terms of its questions and headings."""
        return {*self.counts[0], *self.counts[1]}


def compile_index(entries: Sequence[Entry], encoded: Sequence[bytes]) -> Index:
    """Return the index of ``entries``; the same entries in the same order give the same index.

    Args:
        entries: Of one collection.
        encoded: The same, each as it shall be stored.
    """
    read = [_fields(entry) for entry in entries]
    vocabulary = _vocabulary(read)
    found, hit = _postings(read, vocabulary)
    impacts = _impacts(read)
    phrasings = [row for fields in read for row in fields.phrasings]
    audiences = _numbered({entry.tenants for entry in entries})
    locales = _numbered({entry.locale for entry in entries})
    names = list(vocabulary)
    said = {term: weigh(term, len(found[n]), len(read)) for term, n in vocabulary.items()}
    return Index(
        vocabulary=vocabulary,
        spelled={word: vocabulary[stem(word)] for word in _spellings(entries)},
        weight=_weights(said.values()),
        found_at=_starts(found),
        found=_flat(found),
        hit_at=_starts(hit),
        hit=_flat(hit),
        impact=_numbers(impacts[e][names[t]] for t, row in enumerate(hit) for e in row),
        phrasing_at=_starts([fields.phrasings for fields in read]),
        phrase_at=_starts(phrasings),
        phrase=_numbers(vocabulary[term] for row in phrasings for term in row),
        lightest=_numbers(
            min(round(1000 * sum(said[term] for term in row)) for row in fields.phrasings)
            for fields in read
        ),
        audience=_numbers(audiences[entry.tenants] for entry in entries),
        audiences=tuple(audiences),
        locale=_numbers(locales[entry.locale] for entry in entries),
        locales=tuple(locales),
        expires_day=_numbers(entry.expires_day for entry in entries),
        text_at=_starts(encoded),
        texts=memoryview(b"".join(encoded)),
        spoken=sum(not entry.is_silent for entry in entries),
    )


def _spellings(entries: Iterable[Entry]) -> list[str]:
    texts = (text for entry in entries for text in (*entry.questions, *_headings(entry)))
    return sorted({word for text in texts for word in words(text) if word not in STOP})


def _headings(entry: Entry) -> list[str]:
    return _HEADING.findall(entry.answer)


def weigh(term: str, having: int, entries: int) -> float:
    """Return how much ``term`` says if ``having`` of the ``entries`` ask about it.

    Robertson and Sparck Jones's weight with 1 added inside the logarithm, so that a term that most
    entries have weighs little and never less than nothing; less for terms that say little anywhere.
    """
    idf = _idf(having, entries)
    return min(idf, LIGHT_SHARE * _idf(0, entries)) if is_light(term) else idf


def aside_weight(term: str, weight: float, entries: int) -> float:
    """Return what a word of a question weighs if it turns out to be beside the point."""
    is_talk = term in common_stems() and term not in COMPARING_TERMS
    return min(weight, COMMON_SHARE * _idf(0, entries)) if is_talk else weight


def _idf(having: int, entries: int) -> float:
    return log(1 + (entries + 0.5) / (having + 0.5))


def _fields(entry: Entry) -> _Fields:
    phrasings = [terms(question) for question in entry.questions]
    headings = [term for title in _headings(entry) for term in terms(title)]
    asked = Counter(term for phrasing in phrasings for term in phrasing)
    said = Counter(terms(f"{entry.answer}\n{entry.source}\n{entry.id}"))
    counts = (asked, Counter(headings), said)
    return _Fields(counts, tuple(tuple(dict.fromkeys(phrasing)) for phrasing in phrasings))


def _vocabulary(read: Iterable[_Fields]) -> dict[str, int]:
    return _numbered({term for fields in read for counts in fields.counts for term in counts})


def _numbered(names: Collection[_Name]) -> dict[_Name, int]:
    return {name: number for number, name in enumerate(sorted(names))}


def _postings(
    read: Sequence[_Fields], vocabulary: dict[str, int]
) -> tuple[list[list[int]], list[list[int]]]:
    found: list[list[int]] = [[] for _ in vocabulary]
    hit: list[list[int]] = [[] for _ in vocabulary]
    for number, fields in enumerate(read):
        for term in fields.asked:
            found[vocabulary[term]].append(number)
        for term in set().union(*fields.counts):
            hit[vocabulary[term]].append(number)
    return found, hit


def _impacts(read: Sequence[_Fields]) -> list[dict[str, int]]:
    """Return, for each entry, what each of its terms adds to a score, without the term's weight."""
    lengths = [tuple(counts.total() for counts in fields.counts) for fields in read]
    means = [sum(column) / len(read) or 1.0 for column in zip(*lengths, strict=True)]
    impacts = []
    for fields, length in zip(read, lengths, strict=True):
        frequency: dict[str, float] = {}
        for at, counts in enumerate(fields.counts):
            norm = 1 - LENGTH_B[at] + LENGTH_B[at] * length[at] / means[at]
            for term, count in counts.items():
                frequency[term] = frequency.get(term, 0.0) + WEIGHTS[at] * count / norm
        impacts.append({t: round(IMPACT_ONE * f / (K1 + f)) for t, f in frequency.items()})
    return impacts


def _starts(rows: Sequence[Sequence[object]]) -> Numbers:
    return _numbers(accumulate((len(row) for row in rows), initial=0))


def _flat(rows: Iterable[Iterable[int]]) -> Numbers:
    return _numbers(number for row in rows for number in row)


def _numbers(values: Iterable[int]) -> Numbers:
    return memoryview(array("I", values)).toreadonly()


def _weights(values: Iterable[float]) -> Weights:
    return memoryview(array("d", values)).toreadonly().cast("B").cast("d")
