"""Look into curated entries made of the demo's manual."""

from benchmarks.knowledge.corpus import entry_of, sections
from steadyhand.knowledge.index import Index
from steadyhand.knowledge.model import Asker, Candidate
from steadyhand.knowledge.packed import digest_of, pack, unpack
from steadyhand.knowledge.search import search

ASKER = Asker("bench", "", 20_000)


def collection() -> tuple[Index, list[str]]:
    """Return the index of every covered section, and the id of each entry."""
    entries = [entry_of(section) for section in sections() if section.is_covered]
    index = unpack(pack(entries), digest_of(entries), lambda: None)
    return index, [entry.id for entry in entries]


def best_of(index: Index, question: str) -> Candidate | None:
    """Return what would be spoken if any confidence were enough."""
    found = search(index, question, ASKER, 0.0)
    is_bare = not found.candidates or found.reason == "two_subjects"
    return None if is_bare else found.candidates[0]
