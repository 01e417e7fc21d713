"""Versioned files in a bare Git repository, moved by compare-and-swap. See :class:`Store`.

**Writing.** One writer at a time holds a lock file (:mod:`.lock`), so our own writers never race;
the branch itself moves only from the commit that was read (libgit2 compares under ``main.lock`` as
``git push`` does), so a push by somebody else in that moment is a conflict and never lost. Objects,
then the branch, are synced: after a return the commit survives a loss of power, and a disk that is
full in the middle leaves loose objects that nothing names.

**Reading** takes no lock: a commit never changes.

**A remote**, if there is one, has the last word (:mod:`.remote`): a commit goes there before our
own branch moves.

Fails closed for writers (:class:`StoreUnavailable`, nothing has changed), while whoever serves goes
on with the releases that it holds.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import pygit2
from pygit2 import Commit, GitError, Oid, Repository, Signature, Tree

from steadyhand.core.errors import SteadyhandError
from steadyhand.registry.git import branch, following, notes, packing, trees, walking
from steadyhand.registry.git.branch import BRANCH
from steadyhand.registry.git.failures import named
from steadyhand.registry.git.index import Index
from steadyhand.registry.git.lock import writing
from steadyhand.registry.git.remote import Remote, RemoteMoved
from steadyhand.registry.paths import checked_path
from steadyhand.registry.ports import (
    Author,
    Change,
    Expected,
    Found,
    PathMissing,
    StoreConflict,
    Version,
)

INDEX: Final = "steadyhand-index.db"
LOCK: Final = "steadyhand.lock"
COMMITTER: Final = "Steadyhand registry"
NOWHERE: Final = "steadyhand.invalid"
"""Domain of addresses that nobody has (RFC 2606)."""

Parents = list[str | Oid]
"""As libgit2 wants them."""


class Signer(Protocol):
    """Signs commits."""

    def __call__(self, payload: bytes) -> bytes:
        """Return an armored SSH signature of ``payload`` in the namespace ``git``."""
        ...


Check = Callable[["GitStore", str, str], object]
"""Raises unless the branch of a store may move from one commit to another."""


class Upstream(NamedTuple):
    """The remote of a registry.

    Attributes:
        remote: How it is spoken to.
        check: What is asked before its commits are taken over.
    """

    remote: Remote
    check: Check


def open_registry(
    path: Path,
    *,
    clock: Callable[[], float],
    signer: Signer | None = None,
    upstream: Upstream | None = None,
) -> "GitStore":
    """Open the bare repository at ``path``; make it, with mode 700, if there is none.

    Args:
        path: The folder, ``registry.git`` of the state directory.
        clock: Wall clock, seconds since 1970.
        signer: Signs each commit; ``None`` leaves them unsigned.
        upstream: The remote that has the last word; ``None`` for none.

    Raises:
        StoreUnavailable: It cannot be made, or is no repository.
    """
    with named("open"):
        pygit2.option(pygit2.enums.Option.ENABLE_FSYNC_GITDIR, True)  # noqa: FBT003 - libgit2's
        if not (path / "HEAD").exists():
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            with writing(path / LOCK):
                if not (path / "HEAD").exists():
                    pygit2.init_repository(str(path), bare=True, initial_head="main")
        return GitStore(path, clock, signer, upstream)


class GitStore:
    """See :class:`steadyhand.registry.ports.Store`. Safe beside other threads and processes."""

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float],
        signer: Signer | None,
        upstream: Upstream | None = None,
    ) -> None:
        """Open the repository at ``path``, which is there; see :func:`open_registry`."""
        self.path = path
        self._upstream = upstream
        self.repository = Repository(str(path))
        self._clock = clock
        self._signer = signer
        self._index = Index(path / INDEX)
        self._turn = threading.RLock()

    def head(self) -> str:
        """See :class:`steadyhand.registry.ports.Store`."""
        with self._reading("read the branch"):
            return self._head()

    def get(self, path: str, at: str = "") -> Found:
        """See :class:`steadyhand.registry.ports.Store`."""
        with self._reading(f"read {path[:100]}"):
            blob = trees.entry_at(self.repository, self._tree(at), checked_path(path))
            if blob is None:
                raise PathMissing(f"the registry has no {path}", hint=f"in {at or 'main'}")
            return Found(self.repository[blob].data, str(blob))  # type: ignore[attr-defined]

    def list(self, prefix: str, at: str = "") -> list[str]:
        """See :class:`steadyhand.registry.ports.Store`."""
        with self._reading(f"list {prefix[:100]}"):
            folder, _, _ = prefix.rpartition("/")
            tree: pygit2.Object | None = self._tree(at)
            for part in folder.split("/") if folder else ():
                tree = tree[part] if isinstance(tree, Tree) and part in tree else None
            if not isinstance(tree, Tree):
                return []
            below = f"{folder}/" if folder else ""
            return sorted(path for path, _ in trees.files(tree, below) if path.startswith(prefix))

    def history(self, path: str, *, limit: int = 100) -> Sequence[Version]:
        """See :class:`steadyhand.registry.ports.Store`."""
        with self._reading(f"read the history of {path[:100]}"):
            self._catch_up(self._head())
            return self._index.versions(checked_path(path), limit)

    def commit(
        self,
        changes: Sequence[Change],
        *,
        message: str,
        author: Author,
        expected: Sequence[Expected] = (),
    ) -> str:
        """See :class:`steadyhand.registry.ports.Store`."""
        for change in changes:
            checked_path(change.path)
        with named("commit"), writing(self.path / LOCK):  # readers need not wait with us
            try:
                made, is_new = self._commit(changes, message, author, expected)
            except RemoteMoved:  # take over what is new there, so that whoever decides sees it
                self._follow()
                raise
            if is_new:  # what is left can be made up for by whoever comes next
                with suppress(sqlite3.Error, GitError, OSError):
                    packing.pack_if_many(self.path)
            return made

    def _commit(
        self,
        changes: Sequence[Change],
        message: str,
        author: Author,
        expected: Sequence[Expected],
    ) -> tuple[str, bool]:
        """Return the id of the commit, and whether it was made now."""
        with self._turn:
            head = self._head()
            tree = self._tree(head)
            self._check(tree, expected)
            blobs = trees.blobs(self.repository, tuple(changes))
            made = trees.edited(self.repository, tree, blobs)
            if tree is not None and made == tree.id:
                return head, False
            id_ = self._write(made, head, message, author)
        if self._upstream is not None:
            self._upstream.remote.push(Repository(str(self.path)), str(id_))
        self._bring_on(head, str(id_))
        return str(id_), True

    def _bring_on(self, head: str, id_: str) -> None:
        with self._turn:
            branch.move(self.repository, self.path, head, Oid(hex=id_))
            with suppress(sqlite3.Error, GitError, OSError):  # the next reader brings it on
                self._catch_up(id_)

    def note(self, commit: str, text: str) -> None:
        """Put ``text`` beside a commit, as a Git note of :data:`notes.REF`; the last one counts.

        Raises:
            StoreUnavailable: It is not kept.
        """
        with self._reading("note"), writing(self.path / LOCK):
            us = Signature(COMMITTER, f"registry@{NOWHERE}", int(self._clock()), 0)
            notes.put(self.repository, commit, text, us)
        if self._upstream is not None:
            with suppress(SteadyhandError):  # goes again with the next one; the commit is there
                self._upstream.remote.push_notes(Repository(str(self.path)), notes.REF)

    def noted(self, commit: str) -> str:
        """Return what :meth:`note` put beside a commit; empty for nothing."""
        with self._reading("read a note"):
            return notes.get(self.repository, commit)

    def sync(self) -> str:
        """Take over what the remote has, give it what it lacks; return the branch's commit.

        Raises:
            RemoteDiverged: Either has commits that the other has not.
            SteadyhandError: What it has is refused; the branch stays.
        """
        with named("follow the remote"), writing(self.path / LOCK):
            return self._follow()

    def _follow(self) -> str:
        head = self.head()
        if self._upstream is None:
            return head
        apart = Repository(str(self.path))  # the network is not waited for by readers
        check = partial(self._upstream.check, self)
        return following.follow(apart, self._upstream.remote, head, check, self._bring_on)

    def rebuild_index(self) -> tuple[int, int]:
        """Make the index again from nothing; return how many commits and versions it holds."""
        with self._reading("make the index"), writing(self.path / LOCK):
            head, since = self._head(), self._index.head()
            ids = walking.chain(self.repository, head) or []
            self._index.add(walking.indexed(self.repository, ids), head, since=since, anew=True)
            return self._index.count()

    def close(self) -> None:
        """Close the files."""
        with self._turn:
            self._index.close()
            self.repository.free()

    @contextmanager
    def _reading(self, what: str) -> Iterator[None]:
        with self._turn, named(what):
            yield

    def _head(self) -> str:
        try:
            return str(self.repository.references[BRANCH].target)
        except KeyError:
            return ""

    def _tree(self, at: str) -> Tree | None:
        id_ = at or self._head()
        if not id_:
            return None
        found = self._object(at) if at else self.repository[id_]
        if not isinstance(found, Commit):
            raise PathMissing(f"the registry has no commit {id_[:64]}")
        return found.tree

    def _object(self, id_: str) -> pygit2.Object | None:
        """Return an object by its id; ``None`` if there is none, or this is no id."""
        try:
            return self.repository.get(id_)
        except ValueError:
            return None

    def _check(self, tree: Tree | None, expected: Sequence[Expected]) -> None:
        for path, wanted in expected:
            found = trees.entry_at(self.repository, tree, checked_path(path))
            if (str(found) if found else "") != wanted:
                raise StoreConflict(
                    f"{path} has changed meanwhile", hint="look at it again, then repeat"
                )

    def _write(self, tree: Oid, head: str, message: str, author: Author) -> Oid:
        now_s = int(self._clock())
        by = Signature(author.name, author.email or f"{author.name}@{NOWHERE}", now_s, 0)
        us = Signature(COMMITTER, f"registry@{NOWHERE}", now_s, 0)
        parents: Parents = [head] if head else []
        if self._signer is None:
            return self.repository.create_commit(None, by, us, message, tree, parents)
        # The stubs say Oid, but it is the commit's text.
        text = str(self.repository.create_commit_string(by, us, message, tree, parents))
        armored = self._signer(text.encode()).decode("ascii")
        return self.repository.create_commit_with_signature(text, armored, "gpgsig")

    def _catch_up(self, head: str) -> None:
        """Bring the index to ``head``: by what is new, or from nothing after a rewrite."""
        while (known := self._index.head()) != head:
            new = self._new_since(known, head)
            anew = new is None
            ids = walking.chain(self.repository, head) or [] if new is None else new
            commits = walking.indexed(self.repository, ids, "" if anew else known)
            if self._index.add(commits, head, since=known, anew=anew):
                return
            head = self._head()  # somebody else has brought it on; never take it back

    def _new_since(self, known: str, head: str) -> Sequence[str] | None:
        try:
            return walking.chain(self.repository, head, known)
        except KeyError:
            return None
