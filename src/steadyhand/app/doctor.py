"""What is wrong with an installation, what works all the same, what mends it. Changes nothing."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from steadyhand.app import pidfile
from steadyhand.app.state import State
from steadyhand.core.errors import SteadyhandError
from steadyhand.registry.doctor import LEAST_FREE_MB, SERVED, Finding, examine
from steadyhand.settings.load import load
from steadyhand.settings.model import Settings
from steadyhand.settings.problems import InvalidWorkspace
from steadyhand.settings.prompt_drafts import lint_workspace
from steadyhand.snapshot import sign, store

_KEPT: Final = "the snapshot in force goes on being served; no change is taken over"
_SECRETS: Final = ("snapshot.key", "registry_ed25519", "control.token", "demo.key")


def diagnose(workspace: Path, state_dir: Path) -> list[Finding]:
    """Look at a workspace and at what its processes keep; return what is wrong.

    Args:
        workspace: The directory with ``steadyhand.toml``.
        state_dir: Where it says that its processes keep their state.
    """
    settings: Settings | None = None
    found: list[Finding] = []
    try:
        settings = load(workspace, os.environ, {})
    except InvalidWorkspace as error:
        found += [
            Finding("workspace", "error", f"{one.place}: {one.reason}", _KEPT, one.advice)
            for one in error.problems
        ]
    else:
        found += _prompts(workspace)
    if not state_dir.exists():
        return found  # it was never served, which is no fault
    found += [*_secrets(state_dir), *_space(state_dir)]
    if settings is not None:
        found += [*_snapshot(State(settings)), *_running(State(settings))]
    return [*found, *examine(state_dir / "registry.git")]


def _prompts(workspace: Path) -> Iterator[Finding]:
    for one in lint_workspace(workspace, [])[1]:
        if one.level == "error" and not one.allowed:
            place = f"{one.path}:{one.line}"
            yield Finding("prompts", "warning", f"{place}: {one.message}", "everything", one.hint)


def _secrets(state_dir: Path) -> Iterator[Finding]:
    for name in _SECRETS:
        path = state_dir / name
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield Finding(
                "secrets",
                "error",
                f"others can read {path}",
                "until it is used again: then it is refused",
                f"chmod 600 {path}, and make a new one if somebody may have read it",
            )


def _space(state_dir: Path) -> Iterator[Finding]:
    free_mb = shutil.disk_usage(state_dir).free >> 20
    if free_mb < LEAST_FREE_MB:
        yield Finding(
            "space",
            "error",
            f"{free_mb} MB are free where records, snapshots and releases are kept",
            "answers go on; records are dropped and counted, releases cannot be made",
            "make room on the disk",
        )


def _snapshot(state: State) -> Iterator[Finding]:
    if not (state.snapshots.exists() and state.snapshot_key.exists()):
        return  # nothing was published yet
    try:
        loaded = store.load(state.snapshots, sign.open_key(state.snapshot_key))
    except (SteadyhandError, OSError) as error:
        yield Finding(
            "snapshot",
            "error",
            f"no snapshot can be served from: {error}",
            "gateways that run already; none can start",
            f"steadyhand serve makes a new one; or remove {state.snapshots}",
        )
        return
    if loaded.refused is not None:
        yield Finding(
            "snapshot",
            "warning",
            f"the newest snapshot is damaged: {loaded.refused}",
            f"{loaded.file} is served from",
            "touch steadyhand.toml while it is served: it is published again",
        )


def _running(state: State) -> Iterator[Finding]:
    if pidfile.holder(state.pid_file) is None:
        yield Finding(
            "serve",
            "warning",
            "it is not being served",
            SERVED if state.snapshots.exists() else "nothing",
            "steadyhand serve --workspace DIR",
        )
