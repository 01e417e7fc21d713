"""Make ``questions.jsonl.gz``: questions with an entry, and hard ones without.

``python -m benchmarks.knowledge.questions`` writes it; a test compares. Kinds:

    covered    about a section that has an entry: that entry is the right answer, any other is wrong
    chatty     the same, in a sentence that is mostly about something else
    neighbour  about a section that has none, mostly on the page of one that has
    product    about a covered subject, in another product
    between    about two covered subjects at once
    everyday   about the rest of the world, in words that the manual uses
    chat       about nothing that the manual holds
"""

import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

from benchmarks.knowledge import phrasings
from benchmarks.knowledge.corpus import Section, sections

FILE = Path(__file__).with_name("questions.jsonl.gz")
FRESH = Path(__file__).with_name("fresh.jsonl.gz")
"""Drawn anew after the search was fitted among subjects, and judged once: see README.md."""
SEEDS = {FILE: 20_261_130, FRESH: 20_261_128}
PLANNED = {"covered": 2_000, "chatty": 300, "neighbour": 1_800, "product": 300, "between": 150}


class Asked(NamedTuple):
    """One question.

    Attributes:
        half: ``calibrate`` or ``judge``.
        kind: See above.
        text: What is asked.
        right: Id of the section whose entry is the answer, or empty for none.
    """

    half: str
    kind: str
    text: str
    right: str

    @property
    def is_covered(self) -> bool:
        """Whether there is an entry for it."""
        return self.right != ""


def make(file: Path = FILE) -> Iterator[Asked]:
    """Yield every question of a file, the same at each call."""
    every = sections()
    for half, name in zip(phrasings.HALVES, ("calibrate", "judge"), strict=True):
        own = [section for section in every if section.is_for_judging == (name == "judge")]
        random = Random(f"{SEEDS[file]} {name}")
        for kind, text, right in _of_half(own, half, random):
            yield Asked(name, kind, text, right)


def _of_half(
    own: list[Section], half: phrasings.Half, random: Random
) -> Iterator[tuple[str, str, str]]:
    covered = [section for section in own if section.is_covered]
    bare = [section for section in own if not section.is_covered]
    for section in _several(covered, PLANNED["covered"], random):
        yield "covered", phrasings.ask(section.subject, half, random), section.id
    for section in _several(bare, PLANNED["neighbour"], random):
        yield "neighbour", phrasings.ask(section.subject, half, random), ""
    for section in _several(covered, PLANNED["chatty"], random):
        yield "chatty", phrasings.chat_about(section.subject, half, random), section.id
    for section in _several(covered, PLANNED["product"], random):
        product = random.choice(phrasings.PRODUCTS[half.number])
        sentence = random.choice(phrasings.ELSEWHERE[half.number])
        yield "product", sentence.format(phrasings.recased(section.subject, random), product), ""
    for _ in range(PLANNED["between"]):
        one, other = random.sample(covered, 2)
        sentence = random.choice(phrasings.BETWEEN[half.number])
        yield "between", sentence.format(one.subject, other.subject), ""
    for text in phrasings.CHAT[half.number]:
        yield "chat", text, ""
    for text in phrasings.EVERYDAY[half.number]:
        yield "everyday", text, ""


def _several(own: list[Section], count: int, random: Random) -> list[Section]:
    """Return ``count`` sections, each about as often as the others."""
    rounds = -(-count // len(own))
    return [section for _ in range(rounds) for section in random.sample(own, len(own))][:count]


def read(file: Path = FILE) -> list[Asked]:
    """Return the committed questions."""
    return [Asked(*json.loads(line)) for line in gzip.decompress(file.read_bytes()).splitlines()]


def packed(file: Path = FILE) -> bytes:
    """Return the file: a JSON array a line, compressed, the same on every machine."""
    lines = "".join(json.dumps(asked, ensure_ascii=False) + "\n" for asked in make(file))
    return gzip.compress(lines.encode(), mtime=0)


if __name__ == "__main__":
    for path in SEEDS:
        content = packed(path)
        path.write_bytes(content)
        sys.stdout.write(f"{path.name}: {len(content):,} bytes\n")
