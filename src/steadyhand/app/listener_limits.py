"""What the settings say of a gateway's listener: its bounds, what is too much, and its TLS."""

from math import inf
from ssl import SSLContext

from steadyhand.app.open_files import bounded_clients
from steadyhand.http.limits import ServerLimits
from steadyhand.http.overload import OverloadLimits
from steadyhand.http.tls import server_context
from steadyhand.settings.model import Settings


def server_limits(settings: Settings) -> ServerLimits:
    """Return the listener's bounds."""
    server = settings.server
    return ServerLimits(
        max_connections=bounded_clients(server.max_connections),
        max_connections_per_client=server.max_connections_per_client,
        max_head_bytes=server.max_head_bytes,
        max_body_bytes=server.max_body_bytes,
        head_timeout_s=server.head_timeout_s,
        body_timeout_s=server.body_timeout_s,
        keep_alive_s=server.keep_alive_s,
    )


def overload_limits(settings: Settings) -> OverloadLimits:
    """Return what is too much for one process."""
    server = settings.server
    return OverloadLimits(
        target_s=server.overload_target_ms / 1000 or inf,
        interval_s=server.overload_interval_ms / 1000,
        max_in_flight=server.max_in_flight,
    )


def tls_context(settings: Settings) -> SSLContext | None:
    """Return the listener's TLS context, or ``None`` for plain HTTP."""
    server = settings.server
    if server.tls_cert is None or server.tls_key is None:
        return None
    folder = settings.workspace
    return server_context(folder / server.tls_cert, folder / server.tls_key)
