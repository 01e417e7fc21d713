"""Curated answers for tests: as files, and as entries."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from steadyhand.knowledge.index import Index
from steadyhand.knowledge.model import NEVER, Entry
from steadyhand.knowledge.packed import digest_of, pack, unpack


def answer_file(questions: Sequence[str], answer: str, more: str = "") -> str:
    """Return the text of an answer's file; ``more`` is TOML."""
    asked = json.dumps(list(questions), ensure_ascii=False)
    more = f"{more}\n" if more else ""
    return f'+++\nquestions = {asked}\nsource = "manual"\nowner = "us"\n{more}+++\n{answer}'


def write_answers(root: Path, collection: str, texts: Mapping[str, str]) -> None:
    """Write each of ``texts`` to ``answers/<collection>/<name>.md``."""
    for name, text in texts.items():
        path = root / "answers" / collection / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def entry(
    id_: str,
    *questions: str,
    answer: str = "",
    locale: str = "",
    tenants: Sequence[str] = (),
    expires_day: int = NEVER,
) -> Entry:
    """Return an entry whose answer says which it is."""
    said = answer or f"The answer of {id_}."
    return Entry(id_, questions, said, f"source of {id_}", locale, tuple(tenants), expires_day)


def index_of(*entries: Entry) -> Index:
    """Return entries compiled, stored and loaded."""
    return unpack(pack(entries), digest_of(entries), lambda: None)
