"""Ports: held for processes that share one, or listened on by one process alone."""

import socket

from steadyhand.core.errors import ConfigurationError

BACKLOG = 128


def reserve(host: str, port: int) -> socket.socket:
    """Hold ``port`` for processes that will share it; nothing listens on this socket.

    Raises:
        ConfigurationError: Somebody else has it, a second Steadyhand included.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # Without SO_REUSEPORT: two installations must not share the traffic unnoticed.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            port = probe.getsockname()[1]
        holder = socket.socket(family, socket.SOCK_STREAM)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind((host, port))
    except OSError as error:
        raise _taken(host, port, error, "--port") from error
    return holder


def listen(host: str, port: int, flag: str = "--control-port") -> socket.socket:
    """Open a listening socket; port 0 takes any free one. ``flag`` is what chooses another.

    Raises:
        ConfigurationError: The address is taken or is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _taken(host, port, error, flag) from error
    listener.settimeout(0)
    return listener


def _taken(host: str, port: int, error: OSError, flag: str) -> ConfigurationError:
    return ConfigurationError(
        f"cannot listen on {host}:{port}: {error.strerror}",
        hint=f"stop what holds the port, or choose another with {flag}",
    )
