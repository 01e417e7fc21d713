"""Commits that are not on the branch yet: read, and judged one after the other."""

from collections.abc import Callable, Iterator
from time import time
from typing import Final

import pygit2
from pygit2 import Blob, Commit, Repository, Tree
from pygit2.enums import FileMode

from steadyhand.registry.before import Before
from steadyhand.registry.git import trees, walking
from steadyhand.registry.git.store import GitStore
from steadyhand.registry.paths import checked_path
from steadyhand.registry.ports import Version
from steadyhand.registry.pushed import Pushed, PushRefused, judge
from steadyhand.registry.signatures import Signers

MOST_COMMITS: Final = 10_000
MOST_FILE_BYTES: Final = 64 << 20
SKEW_S: Final = 300
"""How far the clocks of two people may be apart."""


def check(
    store: GitStore,
    repository: Repository,
    old: str,
    new: str,
    signers: Signers,
    clock: Callable[[], float] = time,
) -> int:
    """Judge every commit after ``old`` up to ``new``; return how many there were.

    Args:
        store: Whose branch is at ``old``.
        repository: That has the new commits; may be another one on the same objects.
        old: Id of the branch's commit, empty for none.
        new: Where it is to move.
        signers: Who may sign.
        clock: Wall clock, seconds since 1970.

    Raises:
        PushRefused: The branch would be rewritten, or a commit breaks a rule.
        SteadyhandError: The refusals of :func:`steadyhand.registry.pushed.judge`.
    """
    ids = walking.chain(repository, new, old)
    if ids is None:
        raise PushRefused(
            "not_fast_forward: the branch would lose commits",
            hint="git pull --rebase, then push again; history is never rewritten",
        )
    if len(ids) > MOST_COMMITS:
        raise PushRefused(f"too_many: more than {MOST_COMMITS:,} commits at once")
    versions: dict[str, list[Version]] = {}
    parent, last_s = old, _time(repository, old)
    for commit in _pushed(repository, ids, old):
        try:
            signer = judge(commit, Before(store, parent, versions), signers)
            if not signer.is_server:  # how long a release was stable is told by these times
                _check_time(commit, last_s, clock())
        except PushRefused as error:
            raise PushRefused(f"{commit.id[:10]} {error.message}", hint=error.hint) from error
        _note(store, commit, versions)
        parent, last_s = commit.id, max(last_s, commit.time_s)
    return len(ids)


def _check_time(commit: Pushed, last_s: int, now_s: float) -> None:
    if commit.time_s < last_s - SKEW_S:
        raise PushRefused(
            "wrong_time: it says that it was committed before the one that it follows",
            hint="git commit --amend --no-edit -S, with a clock that is right",
        )
    if commit.time_s > now_s + SKEW_S:
        raise PushRefused("wrong_time: it says that it was committed in the future")


def versions_of(store: GitStore, ids: list[str], old: str) -> dict[str, list[Version]]:
    """Return path → versions, the newest first, that the commits ``ids`` after ``old`` make."""
    versions: dict[str, list[Version]] = {}
    for commit in _pushed(store.repository, ids, old):
        _note(store, commit, versions)
    return versions


def _note(store: GitStore, commit: Pushed, versions: dict[str, list[Version]]) -> None:
    for path, content in commit.changes.items():
        known = versions.setdefault(path, [])
        earlier = known or list(store.history(path, limit=1))
        number = earlier[0].number + 1 if earlier else 1
        blob = "" if content is None else str(pygit2.hash(content))
        made = Version(path, blob, commit.id, commit.author, commit.time_s, commit.subject, number)
        known.insert(0, made)


def _pushed(repository: Repository, ids: list[str], old: str) -> Iterator[Pushed]:
    read = trees.reader(repository)
    before = _tree(repository, old)
    for id_ in ids:
        found = repository[id_]
        if not isinstance(found, Commit):
            raise PushRefused(f"not_a_commit: {id_[:10]}")
        signature, payload = found.gpg_signature
        changes = {
            path: _content(found.tree, path) if blob else None
            for path, _, blob in trees.differing(read, before, found.tree_id)
        }
        yield Pushed(
            id_,
            tuple(map(str, found.parent_ids)),
            found.author.name,
            found.commit_time,
            payload or b"",
            signature or b"",
            changes,
            found.message.partition("\n")[0],
        )
        before = found.tree_id


def _content(tree: Tree, path: str) -> bytes:
    """Return a plain file: no link, no program, no other repository."""
    entry = tree[checked_path(path)]
    if entry.filemode != FileMode.BLOB or not isinstance(entry, Blob):
        raise PushRefused(f"not_a_file: {path[:150]} is a link, a program or a repository")
    if entry.size > MOST_FILE_BYTES:
        raise PushRefused(f"too_big: {path[:150]} has {entry.size:,} bytes")
    return entry.data


def _time(repository: Repository, id_: str) -> int:
    found = repository[id_] if id_ else None
    return found.commit_time if isinstance(found, Commit) else 0


def _tree(repository: Repository, id_: str) -> pygit2.Oid | None:
    found = repository[id_] if id_ else None
    return found.tree_id if isinstance(found, Commit) else None
