"""Compile a workspace and put it in force; notice when it changes."""

import contextlib
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from time import time

from steadyhand.app.cache import open_cache
from steadyhand.app.serving import build_serving
from steadyhand.app.state import State, provider_ports
from steadyhand.core.errors import SteadyhandError
from steadyhand.knowledge import shelf
from steadyhand.routing.ports import RungPorts
from steadyhand.settings.load import load
from steadyhand.settings.model import Settings
from steadyhand.settings.problems import InvalidWorkspace
from steadyhand.snapshot import sign, store
from steadyhand.snapshot.compile import compile_snapshot

LOCAL = "local"
"""Kind of the providers whose models run on this machine."""

logger = logging.getLogger(__name__)


def publish(settings: Settings) -> None:
    """Compile the workspace and put it in force for every gateway that loads it.

    Raises:
        SteadyhandError: The signing key cannot be used.
        OSError: The disk is full or not ours; what was in force stays so.
    """
    state = State(settings)
    key = sign.open_key(state.snapshot_key)
    now_us = int(time() * 1e6)
    snapshot = compile_snapshot(
        keys=settings.keys,
        routes=settings.routes,
        prompts=settings.prompts,
        providers=settings.providers,
        slo_classes=settings.slo_classes,
        now_us=now_us,
        version=store.next_version(state.snapshots, key, now_us),
        collections={
            name: shelf.shelve(entries, state.answers)
            for name, entries in settings.collections.items()
        },
    )
    ports = RungPorts({}, cache=open_cache(settings, key))
    build_serving(snapshot, provider_ports(settings, os.environ), rung_ports=ports)
    store.publish(snapshot, state.snapshots, key)
    _clear_answers(state, key)


def _clear_answers(state: State, key: bytes) -> None:
    """Remove compiled collections that neither snapshot on disk names."""
    named = {
        digest
        for snapshot in store.usable(state.snapshots, key)
        for digest in snapshot.collections.values()
    }
    shelf.clear(state.answers, keep=named)


def republish(workspace: Path, flags: Mapping[str, object]) -> bool:
    """Read the workspace again and publish it; ``False`` if it has mistakes, which are logged."""
    try:
        publish(load(workspace, os.environ, flags))
    except InvalidWorkspace as error:
        for problem in error.problems:
            logger.error("workspace not taken over: %s", problem.text())  # noqa: TRY400 - no bug
        return False
    except (SteadyhandError, OSError) as error:
        logger.error("workspace not taken over: %s", error)  # noqa: TRY400 - no bug of ours
        return False
    return True


def models_published(settings: Settings) -> bool:
    """Tell whether what is in force has a model that runs on this machine."""
    state = State(settings)
    try:
        loaded = store.load(state.snapshots, sign.open_key(state.snapshot_key))
    except (SteadyhandError, OSError):
        return False
    return any(entry.kind == LOCAL for entry in loaded.snapshot.providers.values())


class Fingerprint:
    """Tells when a file of the workspace that shapes answers has changed.

    A published snapshot that vanishes counts as a change too: a gateway that dies then finds
    nothing to serve from until the workspace is published again.
    """

    PATTERNS = (
        "steadyhand.toml",
        "keys.toml",
        "routes/*.toml",
        "prompts/*.md",
        "knowledge/*/sections.jsonl",
        "answers/*/**/*.md",
    )

    def __init__(self, workspace: Path, published: Path) -> None:
        """Remember the files as they are now; ``published`` is the snapshot in force."""
        self._workspace = workspace
        self._published = published
        self._was_published = published.exists()
        self._seen = self._look()

    def changed(self) -> bool:
        """Tell whether any file differs from the last call, by size and time of change."""
        now, is_published = self._look(), self._published.exists()
        vanished = self._was_published and not is_published
        same = now == self._seen and not vanished
        self._seen, self._was_published = now, is_published
        return not same

    def _look(self) -> dict[str, tuple[int, int]]:
        found = {}
        for pattern in self.PATTERNS:
            for path in self._workspace.glob(pattern):
                with contextlib.suppress(OSError):
                    status = path.stat()
                    found[str(path)] = (status.st_mtime_ns, status.st_size)
        return found
