"""A module is short, named for what it holds, and says at its top what it is for."""

import ast
import re
from pathlib import Path

import pytest

from tests.support.tree import MODULES, PACKAGE

MOST_LINES = 400
VAGUE = {"common", "data", "helper", "helpers", "info", "manager", "misc", "util", "utils"}
VAGUE_SHAPE = re.compile(r"base_.+|.+_(v\d+|utils?|helpers?|manager|misc)|v\d+_.+")

FOLDERS = sorted({path.parent for path in MODULES.values()})


def test_the_package_is_found() -> None:
    assert "steadyhand" in MODULES, "the gates below would pass on nothing"


def test_every_folder_of_the_package_is_a_package() -> None:
    """A folder without ``__init__.py`` is invisible to the import contracts."""
    assert [
        str(folder.relative_to(PACKAGE.parent))
        for folder in FOLDERS
        if not (folder / "__init__.py").is_file()
    ] == []


@pytest.mark.parametrize("path", MODULES.values(), ids=MODULES.keys())
def test_a_module_is_short(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MOST_LINES, f"{lines} lines: split it by the nouns it holds"


@pytest.mark.parametrize("path", MODULES.values(), ids=MODULES.keys())
def test_a_module_says_what_it_is_for(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring, "open with a docstring: what the module holds and, if it is hard, why so"


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_module_is_named_for_what_it_holds(name: str) -> None:
    last = name.rpartition(".")[2]
    assert last not in VAGUE, f"{last!r} says nothing; name it after its contents"
    assert not VAGUE_SHAPE.fullmatch(last), f"{last!r} has a part that says nothing"
