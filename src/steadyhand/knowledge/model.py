"""What a curated entry is, and what one question was decided to mean."""

import msgspec

SUBJECTS = "subjects.txt"
"""File of a collection: one subject without an answer a line."""
NEVER = 0
"""``expires_day`` of an entry that has no date."""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One curated answer; or, without an answer, a subject on which there is none.

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

    @property
    def is_silent(self) -> bool:
        """Whether it only says that somebody asks about something else."""
        return not self.answer


def subject(number: int, title: str) -> Entry:
    """Return the silent entry of a subject, from its line number in its file."""
    return Entry(f"{SUBJECTS}:{number}", (title,), "")


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


class Evidence(msgspec.Struct, frozen=True):
    """What speaks for one entry; each is a share of the question's weight or of another's.

    Attributes:
        coverage: The question's words that the entry's questions and headings have.
        phrasing: Likeness (Dice) of the question and the nearest single phrasing.
        contained: The words of one of its phrasings that the question has, at best.
        specific: Weight of the words that the question shares with one of its phrasings, at most;
            1 without bound; see ``search.SPECIFIC``.
        score: BM25F, as a share of what an entry could have at most.
        missing: Weight of the heaviest word that the entry does not say, as a share of the
            heaviest word of all.
        astray: The question's words that others say and this entry does not.
        unknown: The question's words that no entry has, spelling mended.
        margin: How far the next entry is behind in likeness; 1 if there is none.
    """

    coverage: float
    phrasing: float
    contained: float
    specific: float
    score: float
    missing: float
    astray: float
    unknown: float
    margin: float


class Candidate(msgspec.Struct, frozen=True):
    """An entry that a question may mean.

    Attributes:
        entry: Its number in the index.
        evidence: What speaks for it.
        confidence: Probability that the entry answers the question, 0 to 1.
    """

    entry: int
    evidence: Evidence
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
