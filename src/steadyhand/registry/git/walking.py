"""Commits of the branch, the oldest first, along the first parents.

A merge counts as one commit with all that it brought: what the branch was before and after. So a
history has one order, and the same versions whoever makes the index.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from pygit2 import Commit, Repository

from steadyhand.registry.git.index import Indexed
from steadyhand.registry.git.trees import differing, reader


def chain(repository: Repository, head: str, until: str = "") -> list[str] | None:
    """Return the ids from after ``until`` to ``head``, the oldest first.

    ``None`` if ``until`` is not among the first parents: the branch was rewritten or replaced.
    """
    found: list[str] = []
    at = head
    while at and at != until:
        found.append(at)
        parents = _commit(repository, at).parent_ids
        at = str(parents[0]) if parents else ""
    if at != until:
        return None
    found.reverse()
    return found


def indexed(repository: Repository, ids: Sequence[str], before: str = "") -> Iterator[Indexed]:
    """Yield what the index holds of each commit; ``before`` is the parent of the first."""
    read = reader(repository)
    for parent, id_ in pairwise([before, *ids]):
        commit = _commit(repository, id_)
        old = _commit(repository, parent).tree_id if parent else None
        found = differing(read, old, commit.tree_id)
        changes = tuple((path, now) for path, _, now in found)
        subject = commit.message.partition("\n")[0]
        yield Indexed((id_, commit.author.name, commit.commit_time, subject, changes))


def _commit(repository: Repository, id_: str) -> Commit:
    found = repository[id_]
    if not isinstance(found, Commit):
        raise KeyError(id_)
    return found
