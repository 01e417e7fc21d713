"""Files of text that begin with a table: TOML between two ``+++`` lines, then the text."""

import re
from pathlib import Path
from typing import NamedTuple

from steadyhand.settings.document import Document, Report, parse, read_text
from steadyhand.settings.literals import find_secrets

_FRONT_MATTER = re.compile(r"\A\+\+\+[ \t]*\r?\n(.*?)^\+\+\+[ \t]*(?:\r?\n|\Z)", re.M | re.S)


class Parted(NamedTuple):
    """A file in its two parts.

    Attributes:
        document: The table.
        body: The text, without space around it.
        first_line: Line number of the text's beginning.
    """

    document: Document
    body: str
    first_line: int


def read_parted(root: Path, name: str, what: str, needed: str, report: Report) -> Parted | None:
    """Return the file ``name`` below ``root`` in its two parts, or ``None`` and its problems.

    Args:
        root: The workspace.
        name: Path below it.
        what: What such a file is called, with its article: ``the prompt``.
        needed: Keys that the table must have, for the hint.
        report: Where problems go.
    """
    text = read_text(root, name, report)
    if text is None:
        return None
    front = _FRONT_MATTER.match(text)
    if front is None:
        report.add_file(
            "E0311",
            f"{name}:1",
            f"{what} has no front matter",
            hint=f"begin with +++, then {needed} in TOML, then +++, then the text",
        )
        return None
    document = parse(name, front[1], report, first_line=2)
    if document is None:
        return None
    find_secrets(document, report)
    rest = text[front.end() :]
    skipped = len(rest) - len(rest.lstrip())
    return Parted(document, rest.strip(), 1 + text.count("\n", 0, front.end() + skipped))
