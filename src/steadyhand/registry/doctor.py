"""What is wrong with a registry on disk, what still works, and what mends it.

Gateways serve from their snapshot and do not need the registry: whatever is found here, answers go
on. What stops is making and moving releases, until it is mended.
"""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import msgspec
import pygit2

from steadyhand.core.errors import SteadyhandError
from steadyhand.registry import reading, state
from steadyhand.registry.git import trees, walking
from steadyhand.registry.git.branch import BRANCH
from steadyhand.registry.git.store import INDEX, GitStore, open_registry

Level = Literal["error", "warning"]
LEAST_FREE_MB: Final = 200
MOST_PACKS: Final = 50
LOCK_FILES: Final = ("HEAD.lock", "packed-refs.lock", "refs/heads/main.lock", "config.lock")
RESTORE: Final = "restore the folder from a backup or a clone: git clone --mirror CLONE {path}"


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong.

    Attributes:
        check: Name of what was looked at.
        level: ``error`` if releases cannot be made or moved.
        message: What is wrong.
        works: What still works all the same.
        mend: What to do.
    """

    check: str
    level: Level
    message: str
    works: str
    mend: str


SERVED: Final = "gateways go on serving what is in force"


def examine(path: Path) -> list[Finding]:
    """Look at the registry at ``path`` and return what is wrong with it; it changes nothing."""
    if not (path / "HEAD").exists():
        if not path.exists():
            return []  # there is none yet, which is no fault
        return [Finding("repository", "error", f"{path} is no repository", SERVED, _restore(path))]
    found = [*_permissions(path), *_locks(path), *_space(path)]
    try:
        store = open_registry(path, clock=lambda: 0.0)
    except SteadyhandError as error:
        return [*found, Finding("repository", "error", error.message, SERVED, _restore(path))]
    try:
        found += _objects(store)
        if not any(one.check == "objects" for one in found):
            found += [*_contents(store), *_index(store), *_packs(path)]
    finally:
        store.close()
    return found


def _permissions(path: Path) -> Iterator[Finding]:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o022:
        yield Finding(
            "permissions",
            "warning",
            f"others may write to {path} (mode {mode:o})",
            "everything, but somebody else could change what is released",
            f"chmod 700 {path}",
        )
    if not os.access(path / "objects", os.W_OK):
        yield Finding(
            "permissions",
            "error",
            f"{path} cannot be written by this user",
            SERVED,
            f"give it back to the user that runs steadyhand: chown -R USER {path}",
        )


def _locks(path: Path) -> Iterator[Finding]:
    for name in LOCK_FILES:
        if (path / name).exists():
            yield Finding(
                "locks",
                "error",
                f"{name} was left by a git that died, or one is running now",
                SERVED,
                f"make sure that no git runs there, then: rm {path / name}",
            )


def _space(path: Path) -> Iterator[Finding]:
    free_mb = shutil.disk_usage(path).free >> 20
    if free_mb < LEAST_FREE_MB:
        yield Finding(
            "space", "error", f"{free_mb} MB are free on the disk", SERVED, "make room on the disk"
        )


def _objects(store: GitStore) -> Iterator[Finding]:
    """Read every commit and folder; each file of the newest, and whether those of old are there."""
    repository = store.repository
    try:
        head = store.head()
        if not head:
            return
        commit = repository[head]
        for _, blob in trees.files(commit.peel(pygit2.Tree)):
            repository.odb.read(blob)
        ids = walking.chain(repository, head) or []
        for _, _, _, _, changes in walking.indexed(repository, ids):
            for path, old in changes:
                if old and old not in repository:
                    raise KeyError(f"{path} {old}")
    except (SteadyhandError, pygit2.GitError, KeyError, ValueError, OSError) as error:
        yield Finding(
            "objects",
            "error",
            f"an object of {BRANCH} is missing or damaged: {error}",
            SERVED,
            _restore(store.path),
        )


def _contents(store: GitStore) -> Iterator[Finding]:
    """Read every release, channel and word as they are read when they are served."""
    for read, what in (
        (state.known_environments, "environments"),
        (state.channels, "channels"),
        (state.revocations, "revocations"),
    ):
        try:
            read(store)
        except SteadyhandError as error:
            yield Finding(what, "error", error.message, SERVED, error.hint or "git revert it")
    for one in reading.listed(store):
        try:
            reading.read(store, one)
        except SteadyhandError as error:
            yield Finding(
                "releases",
                "error",
                error.message,
                "every other release; channels that point to it keep what they serve",
                "git revert the commit that changed it, in a clone of the registry",
            )


def _index(store: GitStore) -> Iterator[Finding]:
    if store.head() and not (store.path / INDEX).exists():
        yield Finding(
            "index",
            "warning",
            "the index is not there",
            "everything; it is made again at the next look at a history",
            "steadyhand registry rebuild",
        )


def _packs(path: Path) -> Iterator[Finding]:
    count = sum(1 for _ in (path / "objects" / "pack").glob("*.pack"))
    if count > MOST_PACKS:
        yield Finding(
            "packs",
            "warning",
            f"{count} packs make every look slower",
            "everything",
            f"git -C {path} gc",
        )


def _restore(path: Path) -> str:
    return RESTORE.format(path=path)
