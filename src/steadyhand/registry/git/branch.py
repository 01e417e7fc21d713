"""The one branch of the registry, and how it moves."""

from pathlib import Path
from typing import Final

from pygit2 import AlreadyExistsError, GitError, Oid, Repository

from steadyhand.registry.ports import StoreConflict

BRANCH: Final = "refs/heads/main"
MOVING: Final = "steadyhand.moving"


def move(repository: Repository, folder: Path, old: str, new: Oid) -> None:
    """Move the branch from ``old`` (empty for none) to ``new``, under the writer's lock.

    A mark tells the next if we die in it: libgit2's own lock file outlives its process, so the next
    writer removes it by that mark.

    Raises:
        StoreConflict: It is not at ``old`` any more.
    """
    mark = folder / MOVING
    if mark.exists():
        (folder / f"{BRANCH}.lock").unlink(missing_ok=True)
    mark.touch()
    try:
        _set(repository, old, new)
    finally:
        mark.unlink(missing_ok=True)


def _set(repository: Repository, old: str, new: Oid) -> None:
    try:
        if not old:
            repository.references.create(BRANCH, new)
            return
        found = repository.references[BRANCH]
        if str(found.target) != old:
            raise StoreConflict("the branch has moved meanwhile", hint="read it again")
        found.set_target(new)
    except (AlreadyExistsError, KeyError) as error:
        raise StoreConflict("the branch has moved meanwhile", hint="read it again") from error
    except GitError as error:
        if "modified since read" not in str(error):
            raise
        raise StoreConflict("the branch has moved meanwhile", hint="read it again") from error
