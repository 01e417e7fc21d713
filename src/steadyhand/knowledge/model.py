"""What a curated entry is, and what one question was decided to mean."""

import msgspec

NEVER = 0
"""``expires_day`` of an entry that has no date."""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One curated answer.

    Attributes:
        id: Path of its file within its collection, without ``.md``.
        questions: Phrasings that people use, at least one.
        answer: Markdown, spoken word for word.
        source: Citation, a title or an address; empty if its author is the source.
        locale: Language tag of its words, or empty for any.
        tenants: Who may be told; empty for everybody.
        expires_day: Last day on which it may be said, in days since 1970-01-01 UTC, or ``NEVER``.
    """

    id: str
    questions: tuple[str, ...]
    answer: str
    source: str = ""
    locale: str = ""
    tenants: tuple[str, ...] = ()
    expires_day: int = NEVER


class Asker(msgspec.Struct, frozen=True):
    """Who asks, and when: what decides which entries may be told at all.

    Attributes:
        tenant: Of the key.
        locale: Language tag, or empty if unknown.
        day: Days since 1970-01-01 UTC; see :func:`steadyhand.knowledge.visibility.day_of`.
    """

    tenant: str
    locale: str
    day: int


class Candidate(msgspec.Struct, frozen=True):
    """An entry that a question may mean.

    Attributes:
        entry: Its number in the index.
        score: BM25F as a fraction of what an entry with every word in its questions could reach.
        coverage: Share of the question's weight that the entry's questions and headings have.
        phrasing: Likeness to the nearest of its phrasings, 0 to 1.
        confidence: Probability that the entry answers the question, 0 to 1.
    """

    entry: int
    score: float
    coverage: float
    phrasing: float
    confidence: float


class Found(msgspec.Struct, frozen=True):
    """What a search gave.

    Attributes:
        reason: ``curated`` if the first candidate may be spoken; else why nothing may be.
        candidates: Best first; may be empty.
        terms: The question's words as the index has them, each with its weight.
        withheld: How many candidates each filter left out: tenant, locale, expiry.
    """

    reason: str
    candidates: tuple[Candidate, ...] = ()
    terms: tuple[tuple[str, float], ...] = ()
    withheld: tuple[int, int, int] = (0, 0, 0)
