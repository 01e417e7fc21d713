"""Git notes: what is known of a commit beside it, so that the commit itself never changes."""

from typing import Final

from pygit2 import Repository, Signature

REF: Final = "refs/notes/rollouts"
"""``git notes --ref=rollouts show COMMIT`` reads one."""


def put(repository: Repository, commit: str, text: str, by: Signature) -> None:
    """Put ``text`` beside a commit, in place of what was there."""
    repository.create_note(text, by, by, commit, REF, True)  # noqa: FBT003 - libgit2's


def get(repository: Repository, commit: str) -> str:
    """Return what is beside a commit; empty for nothing."""
    try:
        return repository.lookup_note(commit, REF).message
    except (KeyError, ValueError):
        return ""
