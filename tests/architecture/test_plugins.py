"""A plugin is one file with ``Settings`` and ``build``, and stands alone.

A plugin folder holds ``base.py`` and plugins, nothing else: what two plugins share moves down.
"""

from importlib import import_module

import pytest

from tests.support.tree import MODULES, import_graph

FOLDERS = ["steadyhand.providers", "steadyhand.routing.rungs"]


def plugins_of(folder: str) -> list[str]:
    """Return the modules of a plugin folder, its ``base`` left out."""
    below = [name for name in MODULES if name.rpartition(".")[0] == folder]
    return [name for name in below if name != f"{folder}.base"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_plugin_folder_has_plugins(folder: str) -> None:
    if "steadyhand.app" in MODULES:  # a platform that is put together has plugins to put in
        assert plugins_of(folder)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_plugin_is_one_file(folder: str) -> None:
    prefix = f"{folder}."
    nested = [name for name in MODULES if name.startswith(prefix) and "." in name[len(prefix) :]]
    assert nested == [], "a plugin is a file, not a folder"


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_plugin_has_settings_and_build(folder: str) -> None:
    for name in plugins_of(folder):
        plugin = import_module(name)
        assert isinstance(getattr(plugin, "Settings", None), type), f"{name} needs class Settings"
        assert callable(getattr(plugin, "build", None)), f"{name} needs a function build"


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_plugin_imports_no_sibling(folder: str) -> None:
    siblings = set(plugins_of(folder))
    graph = import_graph()
    crossing = {
        f"{name} imports {imported}"
        for name in siblings
        for imported in graph.find_modules_directly_imported_by(name) & siblings
    }
    assert not crossing, "what two plugins share moves to a lower layer"


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_imports_a_plugin_by_name(folder: str) -> None:
    """Plugins are loaded by their configured kind, so an unused one costs nothing."""
    graph = import_graph()
    importers = {
        f"{importer} imports {name}"
        for name in plugins_of(folder)
        for importer in graph.find_modules_that_directly_import(name)
    }
    assert not importers
