"""A repository that has the last word: what it holds is taken over, what we commit goes there.

The remote is asked for its branch and told of each commit before our own branch moves. So of two
control planes, or a control plane and people who push, one comes first and the other decides again.
What others have put there is judged before it is taken over (:mod:`steadyhand.registry.pushed`).
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Final, NamedTuple, Protocol

import pygit2
from pygit2 import GitError, Repository
from typing_extensions import override

from steadyhand.core.errors import SteadyhandError
from steadyhand.registry.git.branch import BRANCH
from steadyhand.registry.ports import StoreConflict, StoreUnavailable

_THEIRS: Final = "refs/remotes/registry/main"
_PENDING: Final = "refs/steadyhand/pending"
_CONNECT_MS: Final = 5_000
_ANSWER_MS: Final = 15_000
_MOVED: Final = ("not present locally", "non-fastforward", "cannot lock ref", "fetch first")


class RemoteMoved(StoreConflict):
    """The registry's remote has commits that we have not: they are taken over first."""

    code = "registry_remote_moved"


class RemoteRefused(SteadyhandError):
    """The registry's remote does not take our commit; nothing has changed."""

    code, status = "registry_remote_refused", 409


class RemoteDiverged(SteadyhandError):
    """The registry and its remote both have commits that the other has not: history was rewritten.

    Nothing is taken over, and nothing can be changed until somebody says which of them is right.
    """

    code, status = "registry_remote_diverged", 409


class Access(NamedTuple):
    """How a remote is reached.

    Attributes:
        url: Path, ``https://…``, ``ssh://…`` or ``git@host:path``.
        user: Name to log in with, for HTTPS and SSH.
        token: Returns the password or token for HTTPS; empty for none.
        key: Path of the private key for SSH; empty asks the agent.
    """

    url: str
    user: str = "git"
    token: Callable[[], str] = str
    key: str = ""


class Remote(Protocol):
    """The other end, as the store needs it."""

    def fetch(self, repository: Repository) -> str:
        """Return the id of its branch, whose objects are here then; empty if it has none."""
        ...

    def push(self, repository: Repository, id_: str) -> None:
        """Move its branch to ``id_``, which follows on what it holds."""
        ...

    def push_notes(self, repository: Repository, ref: str) -> None:
        """Give it the notes of ``ref`` as they are here."""
        ...


class GitRemote:
    """See :class:`Remote`; by libgit2."""

    def __init__(self, access: Access) -> None:
        """Take how it is reached; nothing is asked before it is used."""
        self._access = access
        pygit2.option(pygit2.enums.Option.SET_SERVER_CONNECT_TIMEOUT, _CONNECT_MS)
        pygit2.option(pygit2.enums.Option.SET_SERVER_TIMEOUT, _ANSWER_MS)

    def fetch(self, repository: Repository) -> str:
        """See :class:`Remote`.

        Raises:
            StoreUnavailable: It cannot be reached, or does not let us in.
        """
        with suppress(KeyError):
            repository.references.delete(_THEIRS)
        try:
            remote = repository.remotes.create_anonymous(self._access.url)
            remote.fetch([f"+{BRANCH}:{_THEIRS}"], callbacks=_Callbacks(self._access))
            return str(repository.references[_THEIRS].target)
        except KeyError:
            return ""
        except (GitError, OSError, ValueError) as error:
            raise _unavailable("fetched from", error) from error

    def push(self, repository: Repository, id_: str) -> None:
        """See :class:`Remote`.

        Raises:
            RemoteMoved: It has commits that we have not.
            RemoteRefused: A hook of it says no.
            StoreUnavailable: It cannot be reached, or does not let us in.
        """
        callbacks = _Callbacks(self._access)
        repository.references.create(_PENDING, id_, force=True)
        try:
            remote = repository.remotes.create_anonymous(self._access.url)
            remote.push([f"{_PENDING}:{BRANCH}"], callbacks=callbacks)
        except (GitError, OSError, ValueError) as error:
            if any(mark in str(error) for mark in _MOVED):
                raise RemoteMoved(
                    "the registry's remote has moved meanwhile", hint="read it again"
                ) from error
            raise _unavailable("pushed to", error) from error
        finally:
            with suppress(KeyError):
                repository.references.delete(_PENDING)
        if callbacks.refused:
            if any(mark in callbacks.refused for mark in _MOVED):
                raise RemoteMoved("the registry's remote has moved meanwhile", hint="read it again")
            raise RemoteRefused(
                f"the registry's remote says: {callbacks.refused[:300]}",
                hint="its hook and this control plane must know the same signers",
            )

    def push_notes(self, repository: Repository, ref: str) -> None:
        """See :class:`Remote`.

        Raises:
            StoreUnavailable: It cannot be reached, or does not take them.
        """
        callbacks = _Callbacks(self._access)
        try:
            remote = repository.remotes.create_anonymous(self._access.url)
            remote.push([f"+{ref}:{ref}"], callbacks=callbacks)
        except (GitError, OSError, ValueError) as error:
            raise _unavailable("given notes", error) from error


class _Callbacks(pygit2.RemoteCallbacks):
    """Logs in, and keeps what the other end says of a push."""

    def __init__(self, access: Access) -> None:
        super().__init__()
        self._access = access
        self._asked = 0
        self.refused = ""

    @override
    def credentials(
        self,
        url: str,
        username_from_url: str | None,
        allowed_types: pygit2.enums.CredentialType,
    ) -> pygit2.UserPass | pygit2.Username | pygit2.Keypair:
        """Return what is asked for; once, for libgit2 asks again as long as it is wrong."""
        self._asked += 1
        if self._asked > 4:
            raise GitError("the remote does not let us in")
        user = username_from_url or self._access.user
        if allowed_types & pygit2.enums.CredentialType.USERNAME:
            return pygit2.Username(user)
        if allowed_types & pygit2.enums.CredentialType.SSH_KEY:
            if self._access.key:
                return pygit2.Keypair(user, f"{self._access.key}.pub", self._access.key, "")
            return pygit2.KeypairFromAgent(user)
        return pygit2.UserPass(user, self._access.token())

    @override
    def push_update_reference(self, refname: str, message: str | None) -> None:
        """Keep why a reference was not moved."""
        if message is not None:
            self.refused = message or "no"


def _unavailable(what: str, error: Exception) -> StoreUnavailable:
    return StoreUnavailable(
        f"the registry's remote cannot be {what}: {str(error)[:300]}",
        hint="releases go on being served; they cannot be made or moved until it is back",
        retry_after_s=5.0,
    )
