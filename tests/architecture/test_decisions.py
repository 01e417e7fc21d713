"""Decision records are numbered, whole and findable."""

import re
from pathlib import Path

import pytest

from tests.support.tree import ROOT

FOLDER = ROOT / "docs" / "decisions"
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))
SECTIONS = ["Context", "Decision", "Consequences", "Alternatives", "Enforced by"]
STATUS = re.compile(
    r"(?m)^Status: (proposed|accepted|superseded by \d{4}), \d{4}-\d{2}\. Area: \S.*\.$"
)


def test_records_are_numbered_without_gaps_or_doubles() -> None:
    numbers = [int(path.name[:4]) for path in RECORDS]
    assert numbers == list(range(1, len(numbers) + 1))
    assert numbers


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.name)
def test_a_record_has_the_shape_of_the_template(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# {path.name[:4]}. ")
    assert STATUS.search(text), "the line after the title gives status, month and area"
    assert re.findall(r"(?m)^## (.+)$", text) == SECTIONS


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.name)
def test_a_record_is_in_the_index(path: Path) -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"]({path.name})" in index
