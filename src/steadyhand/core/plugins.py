"""Find a plugin by its kind: one file, whose name is its configuration name.

Nothing is imported until configuration asks for it, so an unused provider costs no start-up time
and needs none of its dependencies.
"""

from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules
from types import ModuleType

from steadyhand.core.errors import UnknownPlugin


def kinds(package: str) -> list[str]:
    """Return every kind of ``package``, built in or installed, in order."""
    builtin = {m.name for m in iter_modules(import_module(package).__path__)} - {"base"}
    return sorted(builtin | {entry.name for entry in entry_points(group=package)})


def load(package: str, kind: str) -> ModuleType:
    """Import the plugin ``kind`` of ``package``.

    Raises:
        UnknownPlugin: No file and no entry point of that name; the hint names the nearest.
    """
    builtin = {m.name for m in iter_modules(import_module(package).__path__)} - {"base"}
    if kind in builtin:
        return import_module(f"{package}.{kind}")
    installed = {entry.name: entry for entry in entry_points(group=package)}
    if kind in installed:
        module: ModuleType = installed[kind].load()
        return module
    known = kinds(package)
    nearest = get_close_matches(kind, known) or known
    raise UnknownPlugin(
        f"no {package} kind {kind!r}", hint=f"did you mean {' or '.join(map(repr, nearest))}?"
    )
