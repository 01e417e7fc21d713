"""The native server on a Unix socket that only this user can reach."""

import asyncio
import socket
from pathlib import Path

from steadyhand.http.answering import RenderError
from steadyhand.http.connection import ServerConnection
from steadyhand.http.limits import ServerLimits
from steadyhand.http.messages import Handler
from steadyhand.http.server import Server
from steadyhand.http.socket_path import short_path


async def serve_at(
    path: Path, handler: Handler, limits: ServerLimits, render_error: RenderError
) -> Server:
    """Serve HTTP on a Unix socket at ``path``, in place of what was there.

    Raises:
        OSError: The socket cannot be made.
    """
    server = Server(handler, limits, render_error)
    loop = asyncio.get_running_loop()
    listener = bound(path)
    try:
        server.listener = await loop.create_unix_server(
            lambda: ServerConnection(server, loop), sock=listener, backlog=limits.backlog
        )
    except BaseException:
        listener.close()
        raise
    return server


def bound(path: Path) -> socket.socket:
    """Return a socket at ``path`` that only this user can reach, in place of what was there.

    Raises:
        OSError: It cannot be made.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)
        with short_path(path) as name:
            listener.bind(name)
        path.chmod(0o600)
    except BaseException:
        listener.close()
        raise
    return listener
