"""Compile a workspace and put it in force; notice when it changes."""

import contextlib
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from time import time

import msgspec

from steadyhand.app.cache import open_cache
from steadyhand.app.lanes import Lanes, kept
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
from steadyhand.snapshot.model import Snapshot
from steadyhand.storage.files import replace_file

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
    released = read_releases(settings, held_snapshot(state, key))
    collections = dict(settings.collections) | released.collections
    snapshot = compile_snapshot(
        keys=settings.keys,
        routes=settings.routes,
        prompts=settings.compiled_prompts,
        providers=settings.providers,
        slo_classes=settings.slo_classes,
        now_us=now_us,
        version=store.next_version(state.snapshots, key, now_us),
        collections=released.shelved
        | {name: shelf.shelve(entries, state.answers) for name, entries in collections.items()},
        lanes=released.lanes,
        releases=released.releases,
    )
    ports = RungPorts({}, cache=open_cache(settings, key))
    build_serving(snapshot, provider_ports(settings, os.environ), rung_ports=ports)
    store.publish(snapshot, state.snapshots, key)
    _clear_answers(state, key)


def held_snapshot(state: State, key: bytes) -> Snapshot | None:
    """Return the snapshot in force, ``None`` if there is none yet."""
    try:
        return store.load(state.snapshots, key).snapshot
    except SteadyhandError:
        return None


def read_releases(settings: Settings, held: Snapshot | None) -> Lanes:
    """Return what the registry has every channel serve; nothing if there is no registry.

    What could not be put in force is logged, and written where ``steadyhand registry status``
    finds it.
    """
    state = State(settings)
    if not (state.registry / "HEAD").exists():
        return Lanes()
    # Neither libgit2 nor what compiles is for the start of an installation without a registry.
    from steadyhand.app.releases import compiled
    from steadyhand.registry.git.store import open_registry

    try:
        registry = open_registry(state.registry, clock=time)
    except SteadyhandError as error:
        found = kept(held, error)
    else:
        found = compiled(registry, settings.providers, held)
        registry.close()
    for one in found.refused:
        logger.error(
            "release not put in force on %s/%s: %s", one.environment, one.route, one.message
        )
    with contextlib.suppress(OSError):
        replace_file(state.releases_refused, msgspec.json.encode(found.refused), mode=0o600)
    return found


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


class Published:
    """Tells when another process has published a snapshot."""

    def __init__(self, published: Path) -> None:
        """Remember the snapshot in force."""
        self._published = published
        self._seen = self._look()

    def changed(self) -> bool:
        """Tell whether it is another one than at the last call."""
        now = self._look()
        is_new = now != self._seen and now is not None
        self._seen = now
        return is_new

    def _look(self) -> tuple[int, int] | None:
        try:
            status = self._published.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino


class Fingerprint:
    """Tells when a file of the workspace that shapes answers has changed.

    A published snapshot that vanishes counts as a change too: a gateway that dies then finds
    nothing to serve from until the workspace is published again.
    """

    PATTERNS = (
        "steadyhand.toml",
        "keys.toml",
        "routes/*.toml",
        "prompts/**/*.md",
        "tools/*.json",
        "schemas/*.json",
        "knowledge/*/sections.jsonl",
        "answers/*/**/*.md",
        "answers/*/subjects.txt",
    )

    def __init__(self, workspace: Path, published: Path) -> None:
        """Remember the files as they are now; ``published`` is the snapshot in force."""
        self._workspace = workspace
        self._published = published
        registry = published.parent.parent / "registry.git"
        self._refs = (registry / "refs" / "heads" / "main", registry / "packed-refs")
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
        shaping = [path for pattern in self.PATTERNS for path in self._workspace.glob(pattern)]
        for path in (*shaping, *self._refs):
            with contextlib.suppress(OSError):
                status = path.stat()
                found[str(path)] = (status.st_mtime_ns, status.st_size)
        return found
