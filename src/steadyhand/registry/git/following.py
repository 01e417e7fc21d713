"""Bring a registry and its remote to the same commit, if one of them only lags."""

from collections.abc import Callable

from pygit2 import Repository

from steadyhand.registry.git import walking
from steadyhand.registry.git.remote import Remote, RemoteDiverged


def follow(
    repository: Repository,
    remote: Remote,
    head: str,
    check: Callable[[str, str], object],
    take_over: Callable[[str, str], None],
) -> str:
    """Take over what the remote has, or give it what it lacks; return the commit of both.

    Args:
        repository: Opened for this alone: the network is not waited for by readers.
        remote: The other end.
        head: Where our branch is; empty for nowhere.
        check: Raises unless our branch may move from one commit to the other.
        take_over: Moves it.

    Raises:
        RemoteDiverged: Either has commits that the other has not.
    """
    theirs = remote.fetch(repository)
    if theirs == head:
        return head
    if theirs and walking.chain(repository, theirs, head) is not None:
        check(head, theirs)
        take_over(head, theirs)
        return theirs
    if theirs and walking.chain(repository, head, theirs) is None:
        raise RemoteDiverged(
            f"the registry is at {head[:10]} and its remote at {theirs[:10]}: neither follows",
            hint="somebody rewrote the remote's branch; steadyhand doctor tells more",
        )
    remote.push(repository, head)
    return head
