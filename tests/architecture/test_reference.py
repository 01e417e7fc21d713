"""The reference pages say what the code says."""

import pytest

from steadyhand.cli.reference import PAGES, command_paths, commands_page
from tests.support.tree import ROOT


@pytest.mark.parametrize("page", PAGES)
def test_a_reference_page_is_up_to_date(page: str) -> None:
    name, write = PAGES[page]
    committed = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    again = f"python -m steadyhand.cli.reference {page} > docs/reference/{name}"
    assert committed == write(), f"run: {again}"


def test_every_command_shows_examples() -> None:
    sections = commands_page().split("\n## ")[1:]
    assert len(sections) == len(list(command_paths()))
    without = [
        section.partition("\n")[0]
        for section in sections
        if "  Examples:\n    steadyhand " not in section and "\nCommands:\n" not in section
    ]
    assert without == []
