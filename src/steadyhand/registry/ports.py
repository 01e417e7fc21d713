"""What the registry asks of its store: versioned files on one branch, moved by compare-and-swap."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec

from steadyhand.core.errors import SteadyhandError


class StoreConflict(SteadyhandError):
    """What a change was to rest on has changed meanwhile: read again, decide again."""

    code, status, retryable = "registry_conflict", 409, True


class StoreUnavailable(SteadyhandError):
    """The repository cannot be read or written now; nothing has changed."""

    code, status, retryable = "registry_unavailable", 503, True


class PathMissing(SteadyhandError):
    """The branch has no file of that path."""

    code, status = "registry_path_missing", 404


class Change(NamedTuple):
    """One file of a commit.

    Attributes:
        path: Below the root, with ``/``; no ``..``, no empty part, no ``.git``.
        content: The whole file; ``None`` removes it.
    """

    path: str
    content: bytes | None


class Expected(NamedTuple):
    """What a path must hold for a commit to be made.

    Attributes:
        path: Of a file.
        blob: Object id of its content in hex; empty for no such file.
    """

    path: str
    blob: str


class Author(NamedTuple):
    """Who wants a change. The committer is always the registry itself.

    Attributes:
        name: Of the principal.
        email: As Git shows it; ``<name>@steadyhand.invalid`` where there is none.
    """

    name: str
    email: str = ""


class Version(msgspec.Struct, frozen=True):
    """One version of one path.

    Attributes:
        path: Of the file.
        blob: Object id of the content, empty where it was removed.
        commit: Object id of the commit that made it so.
        author: Name of the commit's author.
        time_s: Seconds since 1970, of the commit.
        subject: First line of its message.
        number: Of this version of the path, from 1 for the oldest.
    """

    path: str
    blob: str
    commit: str
    author: str
    time_s: int
    subject: str
    number: int


class Found(NamedTuple):
    """The content of a path.

    Attributes:
        content: The whole file.
        blob: Its object id in hex.
    """

    content: bytes
    blob: str


class Store(Protocol):
    """Versioned files on the branch ``main``. Calls block; give them a thread."""

    def head(self) -> str:
        """Return the id of the branch's commit; empty before the first.

        Raises:
            StoreUnavailable: As every method here.
        """
        ...

    def get(self, path: str, at: str = "") -> Found:
        """Return what ``path`` holds, in the commit ``at`` or now.

        Raises:
            PathMissing: Nothing.
        """
        ...

    def list(self, prefix: str, at: str = "") -> list[str]:
        """Return the paths that begin with ``prefix``, sorted."""
        ...

    def history(self, path: str, *, limit: int = 100) -> Sequence[Version]:
        """Return the versions of ``path``, newest first; it walks no commits."""
        ...

    def commit(
        self,
        changes: Sequence[Change],
        *,
        message: str,
        author: Author,
        expected: Sequence[Expected] = (),
    ) -> str:
        """Make one commit of ``changes`` and move the branch; return its id.

        All or nothing, durable on return, safe beside other writers and processes. Changes that
        change nothing make no commit and return the head.

        Raises:
            StoreConflict: A path does not hold what was expected.
        """
        ...
