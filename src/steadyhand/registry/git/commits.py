"""Commits as values, for rules about them. See :class:`steadyhand.registry.ports.History`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from pygit2 import Blob, Commit, GitError, Oid, Repository
from pygit2.enums import SortMode

from steadyhand.registry.git import trees
from steadyhand.registry.ports import CommitView, PathMissing, StoreUnavailable

MAX_COMMITS: Final = 10_000
"""Most commits that are looked at in one go; a push of more is somebody's mistake."""


class GitHistory:
    """The commits of one repository, objects that a push has just brought included."""

    def __init__(self, repository: Repository) -> None:
        """Take the repository, which stays its owner's."""
        self._repository = repository

    def commits_between(self, old: str, new: str) -> Sequence[CommitView]:
        """See :class:`steadyhand.registry.ports.History`."""
        with _named("commits"):
            walk = self._repository.walk(Oid(hex=new), SortMode.TOPOLOGICAL | SortMode.REVERSE)
            if old:
                walk.hide(Oid(hex=old))
            found = []
            for commit in walk:
                found.append(self.read(str(commit.id)))
                if len(found) > MAX_COMMITS:
                    raise StoreUnavailable(
                        f"more than {MAX_COMMITS} commits at once", hint="push them in parts"
                    )
            return found

    def read(self, id_: str) -> CommitView:
        """Return one commit.

        Raises:
            PathMissing: There is none of that id.
            StoreUnavailable: An object is missing or damaged.
        """
        with _named(f"commit {id_[:40]}"):
            commit = self._repository.get(id_)
            if not isinstance(commit, Commit):
                raise PathMissing(f"the registry has no commit {id_[:40]}")
            first = commit.parents[0].tree if commit.parents else None
            signature, payload = commit.gpg_signature
            return CommitView(
                id=str(commit.id),
                parents=tuple(str(parent) for parent in commit.parent_ids),
                author=commit.author.name,
                email=commit.author.email,
                committer=commit.committer.name,
                time_s=commit.commit_time,
                message=commit.message,
                signature=signature or b"",
                payload=payload or b"",
                changes=tuple(trees.differing(first, commit.tree)),
            )

    def blob(self, blob: str) -> bytes:
        """See :class:`steadyhand.registry.ports.History`."""
        with _named(f"object {blob[:40]}"):
            found = self._repository.get(blob)
            if not isinstance(found, Blob):
                raise PathMissing(f"the registry has no object {blob[:40]}")
            return found.data

    def tree(self, commit: str) -> dict[str, str]:
        """See :class:`steadyhand.registry.ports.History`."""
        if not commit:
            return {}
        with _named(f"commit {commit[:40]}"):
            found = self._repository.get(commit)
            if not isinstance(found, Commit):
                raise PathMissing(f"the registry has no commit {commit[:40]}")
            return {path: str(blob) for path, blob in trees.files(found.tree)}


@contextmanager
def _named(what: str) -> Iterator[None]:
    try:
        yield
    except (GitError, OSError, KeyError, ValueError) as error:
        raise StoreUnavailable(
            f"the registry could not read {what}: {error}",
            hint="look at it with: steadyhand registry doctor",
        ) from error
