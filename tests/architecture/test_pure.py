"""Pure modules are listed, exist, and reach nothing that does input or output.

`make test` holds the same list to full coverage.
"""

import pytest

from tests.support import pure
from tests.support.tree import MODULES, import_graph

# Not `random` and `urllib`: a pure module may take a generator, or parse an address.
IMPURE = {
    "aiosqlite",
    "asyncio",
    "fastapi",
    "httptools",
    "multiprocessing",
    "pydantic",
    "socket",
    "sqlalchemy",
    "sqlite3",
    "ssl",
    "starlette",
    "subprocess",
    "threading",
    "uvicorn",
    "uvloop",
}


def test_something_is_listed() -> None:
    assert pure.modules()


@pytest.mark.parametrize("pattern", pure.patterns())
def test_a_line_of_the_list_names_a_module(pattern: str) -> None:
    slice_name = ".".join(pattern.split(".")[:2])
    if slice_name in MODULES:  # the list may run ahead of a slice, not of a module in it
        assert pure.matching(pattern), "renamed or removed? then so must be the line"


@pytest.mark.parametrize("name", pure.modules())
def test_a_pure_module_imports_nothing_that_acts(name: str) -> None:
    graph = import_graph()
    reached = {name} | graph.find_upstream_modules(name)
    acting = {
        f"{importer} imports {imported}"
        for importer in reached
        if importer in MODULES
        for imported in graph.find_modules_directly_imported_by(importer)
        if imported.partition(".")[0] in IMPURE
    }
    assert not acting
