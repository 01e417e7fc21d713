"""Listening sockets: several on one port, or one alone. Whoever opens them may hand them on."""

import socket

from steadyhand.core.errors import ConfigurationError

BACKLOG = 128
SHARED_BACKLOG = 2048
"""Connections that wait for a gateway, also while it is being replaced; capped by somaxconn."""


def listen_shared(host: str, port: int, count: int) -> list[socket.socket]:
    """Open ``count`` listening sockets on one port, over which the kernel spreads connections.

    Raises:
        ConfigurationError: Somebody else has the port, a second Steadyhand included.
    """
    family = _family(host)
    listeners: list[socket.socket] = []
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # Without SO_REUSEPORT: two installations must not share the traffic unnoticed.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            port = probe.getsockname()[1]
        for _ in range(count):
            listeners.append(_join(family, host, port))
    except OSError as error:
        for listener in listeners:
            listener.close()
        raise _taken(host, port, error, "--port") from error
    return listeners


def join(host: str, port: int) -> socket.socket:
    """Open one more listening socket on a port that may be shared already.

    Raises:
        ConfigurationError: Somebody has the port and does not share it.
    """
    try:
        return _join(_family(host), host, port)
    except OSError as error:
        raise _taken(host, port, error, "--port") from error


def listen(host: str, port: int, flag: str = "--control-port") -> socket.socket:
    """Open a listening socket; port 0 takes any free one. ``flag`` is what chooses another.

    Raises:
        ConfigurationError: The address is taken or is not this machine's.
    """
    listener = socket.socket(_family(host), socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _taken(host, port, error, flag) from error
    listener.settimeout(0)
    return listener


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _join(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((host, port))
        listener.listen(SHARED_BACKLOG)
    except OSError:
        listener.close()
        raise
    listener.settimeout(0)
    return listener


def _taken(host: str, port: int, error: OSError, flag: str) -> ConfigurationError:
    return ConfigurationError(
        f"cannot listen on {host}:{port}: {error.strerror}",
        hint=f"stop what holds the port, or choose another with {flag}",
    )
