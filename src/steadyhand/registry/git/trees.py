"""Edit a tree by a few paths: only the folders that they lie in are written again."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Final

import pygit2
from pygit2 import Oid, Repository, Tree
from pygit2.enums import FileMode

from steadyhand.registry.ports import Change

FOLDER: Final = FileMode.TREE
_FOLDER_MODE: Final = b"40000"
_ENTRY: Final = re.compile(rb"\d+ [^\0]+\0.{20}", re.DOTALL)
"""Mode, name and id of one entry, as Git stores it (gitformat of trees, SHA-1)."""

ReadTree = Callable[[Oid], frozenset[bytes]]
"""Returns the entries of a tree."""

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


def reader(repository: Repository) -> ReadTree:
    """Return what reads trees and remembers the last ones: a commit's are its successor's."""

    @lru_cache(maxsize=256)
    def read(tree: Oid) -> frozenset[bytes]:
        return frozenset(_ENTRY.findall(repository[tree].read_raw()))

    return read


def differing(
    read: ReadTree, old: Oid | None, new: Oid | None, below: str = ""
) -> Iterator[tuple[str, str, str]]:
    """Yield path, blob before and blob after of what differs between two trees; empty for none.

    Equal folders are not opened. Entries are compared as Git stores them: making an object of each
    costs twenty times as much, and libgit2's own diff reads what is equal, too.
    """
    before = frozenset() if old is None else read(old)
    after = frozenset() if new is None else read(new)
    was = dict(map(_parsed, before - after))
    now = dict(map(_parsed, after - before))
    for name in sorted(was.keys() | now.keys()):
        path = f"{below}{name.decode()}"
        inner = (_id(was.get(name), is_folder=True), _id(now.get(name), is_folder=True))
        if inner != (None, None):
            yield from differing(read, *inner, f"{path}/")
        blob = (_id(was.get(name), is_folder=False), _id(now.get(name), is_folder=False))
        if blob != (None, None):
            yield path, str(blob[0] or ""), str(blob[1] or "")


def _parsed(entry: bytes) -> tuple[bytes, tuple[bytes, bytes]]:
    """Return the name of an entry, and its mode and id."""
    mode, _, rest = entry.partition(b" ")
    return rest[:-21], (mode, rest[-20:])


def _folder(entry: pygit2.Object | None) -> Tree | None:
    return entry if isinstance(entry, Tree) else None


def _id(entry: tuple[bytes, bytes] | None, *, is_folder: bool) -> Oid | None:
    if entry is None or (entry[0] == _FOLDER_MODE) != is_folder:
        return None
    return Oid(raw=entry[1])


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
