"""Some libraries belong to some modules.

An import contract of the kind *protected* would say the same, but stops when nothing imports the
library yet, and its wildcards cannot name "every ``store``, however deep".
"""

import re

import pytest

from tests.support.tree import MODULES, import_graph

STORES = r"steadyhand\.storage(\..+)?|steadyhand\..+\.(store|tables)"
REST = r"steadyhand\.control(\..+)?|steadyhand\.[a-z]+\.api"
SETTINGS = r"steadyhand\.settings(\..+)?|steadyhand\.[a-z]+(\.[a-z]+)?\.settings"
PLUGINS = r"steadyhand\.providers\..+|steadyhand\.routing\.rungs\..+"
BELONGS_TO = {
    "aiohttp": r"steadyhand\.http\.aiohttp_.+",
    "pydantic": rf"{REST}|{SETTINGS}|{PLUGINS}",
    "sqlalchemy": STORES,
    "pygit2": r"steadyhand\.registry\.(doctor|git(\..+)?)",
    "sqlite3": rf"{STORES}|steadyhand\.registry\.git\.(failures|index|store)",
    "alembic": r"steadyhand\.storage(\..+)?",
    "fastapi": REST,
    "redis": r"steadyhand\.caching\.redis_link",
    "starlette": REST,
    "uvicorn": r"steadyhand\.control\.server",
    "typer": r"steadyhand\.cli(\..+)?",
}


OF_EXTRAS = ("steadyhand.http.aiohttp_", "steadyhand.caching.redis_link")


@pytest.mark.parametrize("library", BELONGS_TO)
def test_a_library_is_imported_only_where_it_belongs(library: str) -> None:
    graph = import_graph()
    elsewhere = [
        name
        for name in graph.modules & MODULES.keys()  # migrations are numbered, not imported
        if library in graph.find_modules_directly_imported_by(name)
        and not re.fullmatch(BELONGS_TO[library], name)
    ]
    assert elsewhere == [], f"only {BELONGS_TO[library]} may import {library}"


def test_only_the_control_plane_imports_the_rest_of_a_slice() -> None:
    """So that no other process pays for the library."""
    graph = import_graph()
    importers = {
        importer
        for name in MODULES
        if name.endswith(".api")
        for importer in graph.find_modules_that_directly_import(name)
    }
    assert {name for name in importers if not name.startswith("steadyhand.control.")} == set()


def test_the_modules_of_an_extra_are_imported_by_name_only() -> None:
    """So that nobody needs the extra who has not configured it."""
    graph = import_graph()
    importers = {
        importer
        for name in MODULES
        if name.startswith(OF_EXTRAS)
        for importer in graph.find_modules_that_directly_import(name)
    }
    assert {name for name in importers if not name.startswith(OF_EXTRAS)} == set()
