"""Edit a tree by a few paths: only the folders that they lie in are written again."""

from collections.abc import Iterator, Mapping
from typing import Final

import pygit2
from pygit2 import Oid, Repository, Tree
from pygit2.enums import FileMode

from steadyhand.registry.ports import Change

FOLDER: Final = FileMode.TREE
Nested = dict[str, "Nested | Oid | None"]
"""Name → what it becomes: a folder's own edits, a blob, or nothing any more."""


def edited(repository: Repository, tree: Tree | None, changes: Mapping[str, Oid | None]) -> Oid:
    """Write ``tree`` with ``changes`` (path → blob, or ``None`` to remove) and return its id.

    A folder that loses its last file vanishes, as Git has it. A file takes the place of a folder of
    that name, and the other way round.
    """
    written = _written(repository, tree, _nested(changes))
    return repository.TreeBuilder().write() if written is None else written


def blobs(repository: Repository, changes: tuple[Change, ...]) -> dict[str, Oid | None]:
    """Write what ``changes`` hold and return path → blob."""
    return {
        change.path: None if change.content is None else repository.create_blob(change.content)
        for change in changes
    }


def entry_at(repository: Repository, tree: Tree | None, path: str) -> Oid | None:
    """Return the blob at ``path``, ``None`` if there is no file."""
    found: pygit2.Object | None = tree
    for part in path.split("/"):
        if not isinstance(found, Tree) or part not in found:
            return None
        found = found[part]
    return found.id if isinstance(found, pygit2.Blob) else None


def files(tree: Tree, below: str = "") -> Iterator[tuple[str, Oid]]:
    """Yield path and blob of every file, in Git's order."""
    for entry in tree:
        path = f"{below}{entry.name}"
        if isinstance(entry, Tree):
            yield from files(entry, f"{path}/")
        elif isinstance(entry, pygit2.Blob):
            yield path, entry.id


def differing(
    old: Tree | None, new: Tree | None, below: str = ""
) -> Iterator[tuple[str, str, str]]:
    """Yield path, blob before and blob after of what differs; empty for none.

    Equal folders are not opened.
    """
    before = _entries(old)
    after = _entries(new)
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name), after.get(name)
        if was is not None and now is not None and was.id == now.id:
            continue
        path = f"{below}{name}"
        if isinstance(was, Tree) or isinstance(now, Tree):
            yield from differing(_folder(was), _folder(now), f"{path}/")
        ids = (_blob(was), _blob(now))
        if ids != ("", ""):
            yield path, *ids


def _entries(tree: Tree | None) -> dict[str, pygit2.Object]:
    return {} if tree is None else {str(entry.name): entry for entry in tree}


def _folder(entry: pygit2.Object | None) -> Tree | None:
    return entry if isinstance(entry, Tree) else None


def _blob(entry: pygit2.Object | None) -> str:
    return str(entry.id) if isinstance(entry, pygit2.Blob) else ""


def _nested(changes: Mapping[str, Oid | None]) -> Nested:
    root: Nested = {}
    for path, blob in changes.items():
        folder = root
        *above, name = path.split("/")
        for part in above:
            inner = folder.get(part)
            if not isinstance(inner, dict):
                inner = folder[part] = {}
            folder = inner
        folder[name] = blob
    return root


def _written(repository: Repository, tree: Tree | None, edits: Nested) -> Oid | None:
    """Write one folder; ``None`` if nothing is left in it."""
    builder = repository.TreeBuilder() if tree is None else repository.TreeBuilder(tree)
    for name, edit in edits.items():
        found = tree[name] if tree is not None and name in tree else None
        if isinstance(edit, dict):
            made, mode = _written(repository, _folder(found), edit), FOLDER
        else:
            made, mode = edit, FileMode.BLOB
        if made is not None:
            builder.insert(name, made, mode)
        elif found is not None and isinstance(found, Tree) == isinstance(edit, dict):
            builder.remove(name)
    return builder.write() if len(builder) else None
