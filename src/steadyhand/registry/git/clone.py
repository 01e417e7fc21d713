"""Operations of the registry in a clone of it: for those who propose a change by a pull request.

The service decides on what the clone holds, its files are written into the working folder, and Git
commits and signs them with the keys and settings of whoever sits there. The rules are asked again
where the commit is pushed to.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path
from time import time
from typing import NamedTuple

from steadyhand.core.errors import SteadyhandError
from steadyhand.registry.before import Before
from steadyhand.registry.git import incoming, walking
from steadyhand.registry.git.store import open_registry
from steadyhand.registry.service import RegistryService
from steadyhand.tenancy.principals import ROLES, Principal


class CloneUnusable(SteadyhandError):
    """The folder is no clone of a registry, has changes of its own, or Git cannot commit in it."""

    code, status = "clone_unusable", 409


class Committed(NamedTuple):
    """What was committed.

    Attributes:
        commit: Its object id.
        subject: First line of its message.
    """

    commit: str
    subject: str


def commit_in(
    folder: Path, name: str, operation: Callable[[RegistryService, Principal], object]
) -> Committed:
    """Carry out ``operation`` in the clone in ``folder`` and commit it, signed.

    Args:
        folder: The working folder.
        name: Of the principal; empty takes Git's ``user.name``.
        operation: What to do, with which service and as whom.

    Raises:
        CloneUnusable: As it says.
        SteadyhandError: The operation's own refusals.
    """
    if _git(folder, "status", "--porcelain"):
        raise CloneUnusable(f"{folder} has changes that are not committed", hint="git stash")
    by = Principal(name or _git(folder, "config", "user.name"), "clone", frozenset(ROLES))
    git_dir = Path(_git(folder, "rev-parse", "--absolute-git-dir"))
    begun = _git(folder, "rev-list", "--all", "-n", "1")  # nothing in the first clone of all
    head = _git(folder, "rev-parse", "HEAD") if begun else ""
    store = open_registry(git_dir, clock=time)
    try:
        main = store.head()
        ids = walking.chain(store.repository, head, main)
        if ids is None:
            raise CloneUnusable(
                "the commit that is checked out does not follow on main", hint="git rebase main"
            )
        before = Before(store, head, incoming.versions_of(store, ids, main))
        operation(RegistryService(before, time), by)
    finally:
        store.close()
    if not before.made:
        raise CloneUnusable("nothing changes by this", hint="git log shows what there is")
    for change in before.made:
        place = folder / change.path
        if change.content is None:
            place.unlink()
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(change.content)
    paths = [change.path for change in before.made]
    _git(folder, "add", "--", *paths)
    settings = ["-c", f"user.name={by.name}", "-c", "gpg.format=ssh"]
    _git(folder, *settings, "commit", "-q", "-S", "-F", "-", text=before.message)
    return Committed(_git(folder, "rev-parse", "HEAD"), before.message.partition("\n")[0])


def _git(folder: Path, *arguments: str, text: str = "") -> str:
    try:
        done = subprocess.run(  # noqa: S603 - Git, with arguments of ours
            ["git", *arguments],  # noqa: S607 - whichever Git they use
            cwd=folder,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CloneUnusable(f"git cannot be run in {folder}: {error}") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        fatal = [line for line in said if line.startswith(("fatal:", "error:"))] or said
        raise CloneUnusable(
            f"git {arguments[0]} in {folder}: {fatal[0][:200] if fatal else done.returncode}",
            hint="git config user.signingkey FILE.pub, if it cannot sign",
        )
    return done.stdout.strip()
