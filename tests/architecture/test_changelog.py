"""Fragments are of known types, so that no change is lost when a release is written."""

import re
from pathlib import Path

import pytest

from tests.support.tree import ROOT, pyproject

CONFIGURATION = pyproject()["tool"]["towncrier"]
TYPES = {kind["directory"] for kind in CONFIGURATION["type"]}
FRAGMENTS = sorted(
    path
    for path in (ROOT / CONFIGURATION["directory"]).iterdir()
    if path.name not in {".gitkeep", "README.md"}
)
# `+words.type.md`, or `number.type.md` for an issue; `.2` and so on when one needs several.
NAME = re.compile(r"(\+[a-z0-9-]+|\d+)\.(?P<type>[a-z]+)(\.\d+)?\.md")


def test_the_types_are_the_agreed_ones() -> None:
    assert sorted(TYPES) == ["added", "changed", "fixed", "removed", "security"]


@pytest.mark.parametrize("path", FRAGMENTS, ids=lambda path: path.name)
def test_a_fragment_has_a_known_type_and_says_something(path: Path) -> None:
    name = NAME.fullmatch(path.name)
    assert name, "name it +words.type.md, or number.type.md for an issue"
    assert name["type"] in TYPES, f"the types are {sorted(TYPES)}"
    assert path.read_text(encoding="utf-8").strip().endswith((".", ")", "`")), "write a sentence"


def test_the_changelog_has_the_line_that_releases_start_at() -> None:
    changelog = (ROOT / CONFIGURATION["filename"]).read_text(encoding="utf-8")
    assert changelog.count(CONFIGURATION["start_string"]) == 1
