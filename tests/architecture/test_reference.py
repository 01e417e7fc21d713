"""The reference pages say what the code says."""

import json
import re

import pytest

from steadyhand.cli.reference import PAGES, command_paths, commands_page
from tests.support.tree import ROOT


@pytest.mark.parametrize("page", PAGES)
def test_a_reference_page_is_up_to_date(page: str) -> None:
    name, write = PAGES[page]
    committed = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    again = f"python -m steadyhand.cli.reference {page} > docs/reference/{name}"
    assert committed == write(), f"run: {again}"


def test_each_schema_of_the_control_api_has_a_name_of_its_own() -> None:
    # Two models of one name get their modules' names before theirs, and clients see those.
    described = json.loads((ROOT / "docs" / "reference" / "openapi.json").read_text("utf-8"))
    assert [name for name in described["components"]["schemas"] if "__" in name] == []


def test_every_command_shows_examples() -> None:
    sections = commands_page().split("\n## ")[1:]
    assert len(sections) == len(list(command_paths()))
    without = [
        section.partition("\n")[0]
        for section in sections
        if "  Examples:\n    steadyhand " not in section and "\nCommands:\n" not in section
    ]
    assert without == []


def test_metrics_that_pages_name_exist() -> None:
    reference = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    known = set(re.findall(r"(?m)^\| `(steadyhand_\w+)`", reference))
    known |= {f"{name}{part}" for name in known for part in ("_bucket", "_count", "_sum")}
    pages = [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "ARCHITECTURE.md"]
    unknown = {
        f"{page.relative_to(ROOT)}: {name}"
        for page in pages
        for name in re.findall(r"\bsteadyhand_[a-z]\w*_\w+", page.read_text(encoding="utf-8"))
        if name not in known
    }
    assert unknown == set()
