"""The pre-receive hook of a Git server that hosts a registry: its rules for whoever pushes."""

import os
from collections.abc import Iterable
from pathlib import Path
from time import time
from typing import Final

from pygit2 import Repository

from steadyhand.registry.git import incoming
from steadyhand.registry.git.branch import BRANCH
from steadyhand.registry.git.store import open_registry
from steadyhand.registry.pushed import PushRefused
from steadyhand.registry.signatures import Signers

_NOTHING: Final = "0" * 40


def receive(path: Path, updates: Iterable[str], signers: Signers) -> list[str]:
    """Judge what is pushed; return in words what was let in. Only the branch ``main`` is judged.

    Args:
        path: The repository.
        updates: Lines as Git gives them to the hook: old id, new id, name of the reference.
        signers: Who may sign.

    Raises:
        PushRefused: The branch would be removed or rewritten, or a commit breaks a rule.
        SteadyhandError: As :func:`steadyhand.registry.pushed.judge`.
    """
    told = []
    for line in updates:
        old, new, name = line.split()
        if name != BRANCH:
            continue
        if new == _NOTHING:
            raise PushRefused("not_removed: the branch main is the registry", hint="keep it")
        store = open_registry(path, clock=time)
        try:
            _see_quarantine(store.repository)
            before = "" if old == _NOTHING else old
            count = incoming.check(store, store.repository, before, new, signers)
        finally:
            store.close()
        told.append(f"{count} commit(s) judged, all may be")
    return told


def _see_quarantine(repository: Repository) -> None:
    """Let ``repository`` see what was pushed; Git keeps it apart until the hook has agreed."""
    quarantine = os.environ.get("GIT_QUARANTINE_PATH", "")
    if quarantine:
        repository.odb.add_disk_alternate(quarantine)
