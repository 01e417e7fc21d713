"""Sections of ``knowledge/`` that prompts pin."""

from pathlib import Path
from typing import Final

import msgspec

from steadyhand.settings.document import Document, Report, read_text
from steadyhand.settings.problems import nearest

KNOWLEDGE: Final = "knowledge"
SECTIONS: Final = "sections.jsonl"


class Section(msgspec.Struct, frozen=True):
    """One line of ``sections.jsonl``; other keys are left for other readers.

    Attributes:
        id: Unique within its corpus; an answer can cite it.
        title: Heading.
        text: Plain.
    """

    id: str = msgspec.field(name="_id")
    title: str
    text: str


class Corpora:
    """Reads each corpus once, and only if a prompt pins something from it."""

    def __init__(self, root: Path, report: Report) -> None:
        self._root = root
        self._report = report
        self._read: dict[str, dict[str, Section]] = {}

    @property
    def names(self) -> list[str]:
        """Folders of ``knowledge/`` that hold sections."""
        found = (self._root / KNOWLEDGE).glob(f"*/{SECTIONS}")
        return sorted(path.parent.name for path in found)

    def sections(self, corpus: str) -> dict[str, Section]:
        """Return id → section of a corpus that is among ``names``."""
        if corpus not in self._read:
            self._read[corpus] = self._load(f"{KNOWLEDGE}/{corpus}/{SECTIONS}")
        return self._read[corpus]

    def pinned(
        self, corpus: str | None, ids: tuple[str, ...], document: Document
    ) -> tuple[Section, ...]:
        """Return the sections that the front matter in ``document`` pins, and note the others."""
        if corpus is None:
            return ()
        if corpus not in self.names:
            self._report.add(
                "E0308",
                document,
                ("corpus",),
                f"there is no corpus {corpus!r}",
                nearest=nearest(corpus, self.names),
                hint=f"add {KNOWLEDGE}/{corpus}/{SECTIONS}",
            )
            return ()
        known = self.sections(corpus)
        for index, id_ in enumerate(ids):
            if id_ not in known:
                self._report.add(
                    "E0309",
                    document,
                    ("passages", index),
                    f"corpus {corpus!r} has no section {id_!r}",
                    nearest=nearest(id_, known),
                    hint=f"ids are the _id fields of {KNOWLEDGE}/{corpus}/{SECTIONS}",
                )
        return tuple(known[id_] for id_ in ids if id_ in known)

    def _load(self, name: str) -> dict[str, Section]:
        text = read_text(self._root, name, self._report)
        decoder = msgspec.json.Decoder(Section)
        sections = {}
        for number, line in enumerate((text or "").split("\n"), start=1):
            if not line.strip():
                continue
            try:
                section = decoder.decode(line)
            except msgspec.DecodeError as error:
                self._report.add_file("E0312", f"{name}:{number}", f"broken section: {error}")
                continue
            sections[section.id] = section
        return sections
