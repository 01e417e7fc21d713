"""Read ``prompts/<name>.md`` and the passages that they pin from ``knowledge/``."""

from pathlib import Path

import msgspec

from steadyhand.routing.prompts import Passage, Prompt
from steadyhand.routing.settings import PromptSettings
from steadyhand.settings.document import Document, Report, read_text
from steadyhand.settings.front_matter import read_parted
from steadyhand.settings.problems import nearest
from steadyhand.settings.validation import check_table

KNOWLEDGE = "knowledge"
SECTIONS = "sections.jsonl"


class _Section(msgspec.Struct):
    """One line of ``sections.jsonl``; other keys are left for other readers."""

    id: str = msgspec.field(name="_id")
    title: str
    text: str


class Corpora:
    """Reads each corpus once, and only if a prompt pins something from it."""

    def __init__(self, root: Path, report: Report) -> None:
        self._root = root
        self._report = report
        self._read: dict[str, dict[str, Passage]] = {}

    @property
    def names(self) -> list[str]:
        """Folders of ``knowledge/`` that hold sections."""
        found = (self._root / KNOWLEDGE).glob(f"*/{SECTIONS}")
        return sorted(path.parent.name for path in found)

    def passages(self, corpus: str) -> dict[str, Passage]:
        """Return id → passage of a corpus that is among ``names``."""
        if corpus not in self._read:
            self._read[corpus] = self._load(f"{KNOWLEDGE}/{corpus}/{SECTIONS}")
        return self._read[corpus]

    def _load(self, name: str) -> dict[str, Passage]:
        text = read_text(self._root, name, self._report)
        decoder = msgspec.json.Decoder(_Section)
        passages = {}
        for number, line in enumerate((text or "").split("\n"), start=1):
            if not line.strip():
                continue
            try:
                section = decoder.decode(line)
            except msgspec.DecodeError as error:
                self._report.add_file("E0312", f"{name}:{number}", f"broken section: {error}")
                continue
            passages[section.id] = Passage(section.id, section.title, section.text)
        return passages


def read_prompt(root: Path, name: str, corpora: Corpora, report: Report) -> Prompt | None:
    """Return the prompt in the file ``name``, or ``None`` and its problems."""
    parted = read_parted(root, name, "the prompt", "description and owner", report)
    if parted is None:
        return None
    document = parted.document
    settings = check_table(PromptSettings, document.values, document, (), report)
    if settings is None:
        return None
    return Prompt(parted.body, _pinned(settings, document, corpora, report), settings.corpus or "")


def _pinned(
    settings: PromptSettings, document: Document, corpora: Corpora, report: Report
) -> tuple[Passage, ...]:
    if settings.corpus is None:
        return ()
    if settings.corpus not in corpora.names:
        report.add(
            "E0308",
            document,
            ("corpus",),
            f"there is no corpus {settings.corpus!r}",
            nearest=nearest(settings.corpus, corpora.names),
            hint=f"add {KNOWLEDGE}/{settings.corpus}/{SECTIONS}",
        )
        return ()
    known = corpora.passages(settings.corpus)
    for index, id_ in enumerate(settings.passages):
        if id_ not in known:
            report.add(
                "E0309",
                document,
                ("passages", index),
                f"corpus {settings.corpus!r} has no section {id_!r}",
                nearest=nearest(id_, known),
                hint=f"ids are the _id fields of {KNOWLEDGE}/{settings.corpus}/{SECTIONS}",
            )
    return tuple(known[id_] for id_ in settings.passages if id_ in known)
