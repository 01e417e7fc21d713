"""Some libraries belong to some modules.

An import contract of the kind *protected* would say the same, but stops when nothing imports the
library yet, and its wildcards cannot name "every ``store``, however deep".
"""

import re

import pytest

from tests.support.tree import MODULES, import_graph

STORES = r"steadyhand\.storage(\..+)?|steadyhand\..+\.store"
BELONGS_TO = {
    "sqlalchemy": STORES,
    "sqlite3": STORES,
    "alembic": r"steadyhand\.storage(\..+)?",
}


@pytest.mark.parametrize("library", BELONGS_TO)
def test_a_library_is_imported_only_where_it_belongs(library: str) -> None:
    graph = import_graph()
    elsewhere = [
        name
        for name in MODULES
        if library in graph.find_modules_directly_imported_by(name)
        and not re.fullmatch(BELONGS_TO[library], name)
    ]
    assert elsewhere == [], f"only {BELONGS_TO[library]} may import {library}"
