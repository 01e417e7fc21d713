"""Look into curated entries made of the demo's manual."""

from benchmarks.knowledge.corpus import entry_of, sections
from steadyhand.knowledge.index import Index
from steadyhand.knowledge.model import Asker, Candidate, subject
from steadyhand.knowledge.packed import digest_of, pack, unpack
from steadyhand.knowledge.search import search

ASKER = Asker("bench", "", 20_000)


def collection(*, subjects: bool = True) -> tuple[Index, list[str]]:
    """Return the index of every covered section, and the id of each entry.

    With ``subjects``, the others' titles are subjects without an answer.
    """
    every = sections()
    entries = [entry_of(section) for section in every if section.is_covered]
    if subjects:
        bare = (section.subject for section in every if not section.is_covered)
        entries += [subject(number, title) for number, title in enumerate(bare, start=1)]
    index = unpack(pack(entries), digest_of(entries), lambda: None)
    return index, [entry.id for entry in entries]


def best_of(index: Index, question: str) -> Candidate | None:
    """Return what would be spoken if any confidence were enough."""
    found = search(index, question, ASKER, 0.0)
    return found.candidates[0] if found.reason == "curated" else None
