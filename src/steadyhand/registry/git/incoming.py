"""Commits that are not on the branch yet: read, and judged one after the other."""

from collections.abc import Iterator

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

MOST_COMMITS = 10_000


def check(store: GitStore, repository: Repository, old: str, new: str, signers: Signers) -> int:
    """Judge every commit after ``old`` up to ``new``; return how many there were.

    Args:
        store: Whose branch is at ``old``.
        repository: That has the new commits; may be another one on the same objects.
        old: Id of the branch's commit, empty for none.
        new: Where it is to move.
        signers: Who may sign.

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
    parent = old
    for commit in _pushed(repository, ids, old):
        try:
            judge(commit, Before(store, parent, versions), signers)
        except PushRefused as error:
            raise PushRefused(f"{commit.id[:10]} {error.message}", hint=error.hint) from error
        _note(store, commit, versions)
        parent = commit.id
    return len(ids)


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
    return entry.data


def _tree(repository: Repository, id_: str) -> pygit2.Oid | None:
    found = repository[id_] if id_ else None
    return found.tree_id if isinstance(found, Commit) else None
