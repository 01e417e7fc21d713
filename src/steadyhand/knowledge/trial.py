"""Say what a question would get, and why: for people who write answers. Pure."""

from collections.abc import Sequence
from typing import TypedDict

from msgspec.structs import asdict

from steadyhand.knowledge.model import Asker, Entry, Found
from steadyhand.knowledge.packed import digest_of, pack, unpack
from steadyhand.knowledge.question import LONGEST
from steadyhand.knowledge.search import MOST_TERMS, search

WHY = {
    "no_words": "the question has no word that says what is asked",
    "too_many_words": f"the question has more than {MOST_TERMS} different words",
    "too_long": f"the question is longer than {LONGEST:,} characters",
    "two_subjects": "the question asks about what another answer is about as well",
    "another_subject": "a subject without an answer is nearer: see subjects.txt",
    "nothing_near": "no answer asks about enough of the question's words",
    "not_for_this_asker": "every answer that is near is for others: another tenant, another "
    "language, or out of date",
}
"""Reason → sentence; ``curated`` and ``not_sure`` have numbers in theirs."""


class Tried(TypedDict):
    """What came of one question."""

    question: str
    spoken: bool
    reason: str
    explanation: str
    threshold: float
    answer: str
    source: str
    terms: list[dict[str, object]]
    withheld: dict[str, int]
    candidates: list[dict[str, object]]


def try_on(entries: Sequence[Entry], question: str, asker: Asker, threshold: float) -> Tried:
    """Return what ``asker`` would get for ``question`` from ``entries``."""
    index = unpack(pack(entries), digest_of(entries), lambda: None)
    is_short = len(question) <= LONGEST
    found = search(index, question, asker, threshold) if is_short else Found("too_long")
    spoken = found.reason == "curated"
    best = entries[found.candidates[0].entry] if spoken else None
    tenant, locale, expiry = found.withheld
    return Tried(
        question=question,
        spoken=spoken,
        reason=found.reason,
        explanation=_explanation(found, entries, threshold),
        threshold=threshold,
        answer=best.answer if best else "",
        source=best.source if best else "",
        terms=[{"term": term, "weight": round(weight, 3)} for term, weight in found.terms],
        withheld={"tenant": tenant, "locale": locale, "expired": expiry},
        candidates=[
            {
                "entry": entries[one.entry].id,
                "confidence": round(one.confidence, 4),
                **{name: round(share, 3) for name, share in asdict(one.evidence).items()},
                "questions": list(entries[one.entry].questions),
            }
            for one in found.candidates
        ],
    )


def _explanation(found: Found, entries: Sequence[Entry], threshold: float) -> str:
    if found.reason in WHY:
        return f"{found.reason}: {WHY[found.reason]}"
    best = found.candidates[0]
    name, sure = entries[best.entry].id, best.confidence
    if found.reason == "curated":
        return f"{name}: confidence {sure:.3f} is at least {threshold:.3f}"
    return f"not_sure: the nearest, {name}, has confidence {sure:.3f}, less than {threshold:.3f}"
