"""How many files and sockets a process may have open, and what that leaves for clients."""

import logging
import os
import resource

logger = logging.getLogger(__name__)

RESERVED = 128
"""For what is neither client nor provider: libraries, log, board, pipes, listeners, epoll."""


def raise_limit() -> None:
    """Raise the limit on open files as far as this user may; children inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def open_files() -> int:
    """Return how many files this process may have open at once."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 2**31 if soft == resource.RLIM_INFINITY else soft


def client_bound(wanted: int, files: int) -> int:
    """Return how many client connections ``files`` allow, at most those ``wanted``.

    Each may need a second socket, to a provider: the reserve grows with the number of clients.
    """
    return max(1, min(wanted, (files - RESERVED) // 2))


def bounded_clients(wanted: int) -> int:
    """Return :func:`client_bound` for this process; a lower one than wanted is logged."""
    bound = client_bound(wanted, open_files())
    if bound < wanted:
        logger.warning(
            "%d files may be open: %d client connections instead of [server] max_connections %d",
            open_files(),
            bound,
            wanted,
        )
    return bound


def is_exhausted() -> bool:
    """Tell whether no further file could be opened now."""
    try:
        os.close(os.dup(0))
    except OSError:
        return True
    return False
