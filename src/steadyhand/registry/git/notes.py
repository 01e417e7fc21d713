"""Git notes: what is known of a commit beside it, so that the commit itself never changes."""

from pathlib import Path
from typing import Final

from pygit2 import Repository, Signature

from steadyhand.registry.git.failures import named

REF: Final = "refs/notes/rollouts"
"""``git notes --ref=rollouts show COMMIT`` reads one."""


def put(repository: Repository, commit: str, text: str, by: Signature) -> None:
    """Put ``text`` beside a commit, in place of what was there."""
    repository.create_note(text, by, by, commit, REF, True)  # noqa: FBT003 - libgit2's


def read_in(folder: Path, commit: str) -> str:
    """Return what is beside a commit of the repository in ``folder``; empty for nothing.

    Without a commit, what is beside the newest that has something.

    Raises:
        StoreUnavailable: It is no repository, or has no such commit.
    """
    with named(f"read {folder}"):
        repository = Repository(str(folder))
        if commit:
            return get(repository, str(repository.revparse_single(commit).id))
        for each in repository.walk(repository.head.target):
            text = get(repository, str(each.id))
            if text:
                return text
        return ""


def get(repository: Repository, commit: str) -> str:
    """Return what is beside a commit; empty for nothing."""
    try:
        return repository.lookup_note(commit, REF).message
    except (KeyError, ValueError):
        return ""
