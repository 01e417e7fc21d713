"""What the control process needs of the registry and of principals."""

import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from time import time
from typing import Any

from steadyhand.app.state import State
from steadyhand.control.registry.releases import RegistryPorts
from steadyhand.registry.service import RegistryService
from steadyhand.settings.load import load
from steadyhand.settings.model import Settings
from steadyhand.settings.previews import previews
from steadyhand.settings.principals import FILE, load_principals
from steadyhand.settings.problems import InvalidWorkspace
from steadyhand.settings.release import collect
from steadyhand.tenancy.settings import PrincipalSettings

logger = logging.getLogger(__name__)


def registry_ports(
    settings: Settings, changed: Callable[[str], None], login: object
) -> RegistryPorts:
    """Return what the REST of the registry needs; nothing is opened before it is asked.

    ``changed`` is told of the action of each commit.
    """
    state = State(settings)

    @cache
    def service() -> RegistryService:
        # libgit2 and cryptography cost 0.2 s and 20 MB, and many installations have no registry.
        from steadyhand.registry.git.store import open_registry
        from steadyhand.registry.signing import open_signer

        signer = open_signer(state.registry_key)
        store = open_registry(state.registry, clock=time, signer=signer)
        return RegistryService(store, time, lambda story, _: changed(story.action))

    def files(route: str) -> Mapping[str, bytes]:
        """Read the workspace as it is now, not as it was when this process began."""
        return collect(load(settings.workspace, os.environ, {}), route)

    return RegistryPorts(service, files, previews, partial(refused, state), login)


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
