"""What the control process needs of the registry and of principals."""

import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from threading import Lock
from time import time
from typing import TYPE_CHECKING, Any

from steadyhand.app.state import State, secret_resolver
from steadyhand.control.registry.releases import RegistryPorts
from steadyhand.control.registry.views import RemoteView
from steadyhand.core.errors import SteadyhandError
from steadyhand.prompts.draft import Finding
from steadyhand.registry.service import RegistryService
from steadyhand.registry.stories import Story
from steadyhand.settings.load import load
from steadyhand.settings.model import Settings
from steadyhand.settings.previews import previews
from steadyhand.settings.principals import FILE, load_principals
from steadyhand.settings.problems import InvalidWorkspace
from steadyhand.settings.prompt_drafts import lint_release
from steadyhand.settings.release import collect
from steadyhand.tenancy.settings import PrincipalSettings

if TYPE_CHECKING:
    from steadyhand.registry.git.store import GitStore, Upstream
    from steadyhand.registry.signatures import Signers
    from steadyhand.registry.signing import CommitSigner

logger = logging.getLogger(__name__)


class Registry:
    """The registry of one control process: opened or made when it is first asked."""

    def __init__(
        self,
        settings: Settings,
        principals: Callable[[], Mapping[str, PrincipalSettings]],
        changed: Callable[[Story], None],
        synced: Callable[[str, str], None],
    ) -> None:
        """Take the parts.

        Args:
            settings: Of the workspace.
            principals: Returns name → principal, as they are now.
            changed: Is told of each commit that was made here.
            synced: Is told how each look at the remote ended, ``ok``, ``refused`` or ``failed``,
                and what was wrong.
        """
        self._settings = settings
        self._state = State(settings)
        self._principals = principals
        self._changed = changed
        self._synced = synced
        self._lock = Lock()
        self._service: RegistryService | None = None
        self._store: GitStore | None = None
        url = settings.registry.remote
        self._remote = RemoteView(url=url or "", outcome="", message="", synced_s=0.0)

    @property
    def follows(self) -> bool:
        """Whether there is a remote."""
        return self._settings.registry.remote is not None

    @property
    def remote(self) -> RemoteView:
        """How the last look at the remote ended."""
        return self._remote

    def service(self) -> RegistryService:
        """Return the operations."""
        with self._lock:
            if self._service is None:
                # libgit2 and cryptography cost 0.2 s and 20 MB, and many have no registry.
                from steadyhand.registry.git.store import open_registry
                from steadyhand.registry.signing import open_signer

                signer = open_signer(self._state.registry_key)
                self._store = open_registry(
                    self._state.registry,
                    clock=time,
                    signer=signer,
                    upstream=self._upstream(signer) if self.follows else None,
                )
                self._service = RegistryService(
                    self._store, time, lambda story, _: self._changed(story)
                )
            return self._service

    def sign(self, payload: bytes) -> bytes:
        """Return a signature of what is distributed, with the registry's key."""
        from steadyhand.registry.signing import SNAPSHOTS, open_signer

        return open_signer(self._state.registry_key)(payload, SNAPSHOTS)

    def store(self) -> "GitStore":
        """Return the repository."""
        self.service()
        assert self._store is not None  # noqa: S101 - made with the service
        return self._store

    def certify(self, payload: bytes) -> bytes:
        """Return a signature of a certificate, with the registry's key."""
        from steadyhand.registry.signing import CERTIFICATES, open_signer

        return open_signer(self._state.registry_key)(payload, CERTIFICATES)

    def sync(self) -> None:
        """Look at the remote once; what is wrong with it is kept for those who ask."""
        try:
            self.store().sync()
        except SteadyhandError as error:
            outcome = "failed" if error.retryable or error.status >= 500 else "refused"
            if error.message != self._remote.message:
                logger.error("registry not brought on: %s", error)  # noqa: TRY400 - no bug
            self._note(outcome, error.message)
        else:
            self._note("ok", "")

    def _note(self, outcome: str, message: str) -> None:
        at_s = time() if outcome == "ok" else self._remote.synced_s
        self._remote = RemoteView(
            url=self._remote.url, outcome=outcome, message=message, synced_s=at_s
        )
        self._synced(outcome, message)

    def _upstream(self, signer: "CommitSigner") -> "Upstream":
        from steadyhand.app.signers import signers_of
        from steadyhand.registry.git import incoming
        from steadyhand.registry.git.remote import Access, GitRemote
        from steadyhand.registry.git.store import Upstream

        told = self._settings.registry
        root = self._settings.workspace
        secret = secret_resolver(root, os.environ)

        def token() -> str:
            return secret(told.remote_token) if told.remote_token else ""

        def signers() -> "Signers":
            return signers_of(self._principals(), (signer.public_line(), *told.trusted_keys))

        def check(store: "GitStore", old: str, new: str) -> int:
            return incoming.check(store, store.repository, old, new, signers())

        key = str(root / told.remote_key) if told.remote_key else ""
        access = Access(_address(told.remote or "", root), told.remote_user, token, key)
        return Upstream(GitRemote(access), check)


def _address(remote: str, workspace: Path) -> str:
    """Return where a remote is; a path is relative to the workspace."""
    is_url = "://" in remote or ":" in remote.partition("/")[0]
    return remote if is_url else str((workspace / remote).resolve())


def registry_ports(registry: Registry, settings: Settings, login: object) -> RegistryPorts:
    """Return what the REST of the registry needs; nothing is opened before it is asked."""

    def files(route: str) -> Mapping[str, bytes]:
        """Read the workspace as it is now, not as it was when this process began."""
        return collect(load(settings.workspace, os.environ, {}), route)

    def lint(files: Mapping[str, bytes], route: str) -> Sequence[Finding]:
        return lint_release(files, route, load(settings.workspace, os.environ, {}).providers)

    return RegistryPorts(
        service=registry.service,
        collect=files,
        previews=previews,
        lint=lint,
        refused=partial(refused, State(settings)),
        remote=lambda: registry.remote if registry.follows else None,
        login=login,
    )


def refused(state: State) -> Sequence[Mapping[str, Any]]:
    """Return what could not be put in force at the last publication."""
    try:
        found: list[Mapping[str, Any]] = json.loads(state.releases_refused.read_bytes())
    except (OSError, ValueError):
        return []
    return found


def count_refused(state: State) -> int:
    """Return how many channels could not be brought to where they point."""
    return len(refused(state))


class PrincipalsReader:
    """The principals of the workspace, read again only when their file has changed.

    While the file has mistakes, who was known stays known and nobody new is let in.
    """

    def __init__(self, workspace: Path) -> None:
        """Read nothing yet."""
        self._workspace = workspace
        self._seen: tuple[int, int] | None = None
        self._held: Mapping[str, PrincipalSettings] = {}

    def __call__(self) -> Mapping[str, PrincipalSettings]:
        """Return name → principal."""
        try:
            status = (self._workspace / FILE).stat()
        except OSError:
            self._seen, self._held = None, {}
            return self._held
        seen = (status.st_mtime_ns, status.st_size)
        if seen != self._seen:
            self._seen = seen
            try:
                self._held = load_principals(self._workspace)
            except InvalidWorkspace as error:
                for problem in error.problems:
                    logger.error("principals not taken over: %s", problem.text())  # noqa: TRY400
        return self._held
