"""Curated entries made of the demo's manual: a part of its sections has one, the others have none.

A section's subject is its title. Sections whose title is not theirs alone ("Notes", "Parameters";
"COPY" beside "Use COPY") are left out: whoever asks for the parameters of a command is answered
rightly by the command's entry as well, so there would be no telling right from wrong. So are
release notes. Who has an entry is a hash of the section's id, so a covered section stands beside
uncovered ones of the same page.
"""

import gzip
import json
from collections import Counter
from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple

from steadyhand.knowledge.model import Entry
from steadyhand.knowledge.words import is_light, terms

MANUAL = "demo/knowledge/postgresql-15/sections.jsonl.gz"
COVERED_SHARE = 0.6
SHORTEST = 80
"""Characters of a section that says something."""

CURATORS = ("What is {}?", "How do I use {}?", "{}")
"""Phrasings that an entry gets. Those of the questions are others: see ``phrasings.py``."""


class Section(NamedTuple):
    """A section of the manual that people may ask about."""

    id: str
    subject: str
    text: str

    @property
    def draw(self) -> float:
        """A number in [0, 1) that belongs to the section."""
        return int.from_bytes(sha256(self.id.encode()).digest()[:6]) / 2**48

    @property
    def is_covered(self) -> bool:
        """Whether it has an entry."""
        return self.draw < COVERED_SHARE

    @property
    def is_for_judging(self) -> bool:
        """Whether questions about it judge; the others calibrate."""
        return sha256(f"half {self.id}".encode()).digest()[0] % 2 == 0


def sections() -> list[Section]:
    """Return every section whose subject is its own."""
    packed = files("steadyhand.settings").joinpath(MANUAL).read_bytes()
    lines = [json.loads(line) for line in gzip.decompress(packed).splitlines()]
    common = Counter(_key(line["title"]) for line in lines)
    return [
        Section(line["_id"], line["title"], line["text"])
        for line in lines
        if common[_key(line["title"])] == 1
        and _key(line["title"])
        and not line["_id"].startswith("release")
        and len(line["text"]) >= SHORTEST
    ]


def entry_of(section: Section) -> Entry:
    """Return the entry that a curator would write from ``section``."""
    said = " ".join(section.text.split())
    questions = [phrasing.format(section.subject) for phrasing in CURATORS]
    return Entry(section.id, tuple(questions), said[:1_200], f"PostgreSQL 15 manual, {section.id}")


def _key(title: str) -> tuple[str, ...]:
    """Return what a title is about: two with the same key ask the same."""
    return tuple(sorted({term for term in terms(title) if not is_light(term)}))
