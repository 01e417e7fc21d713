"""What stands around every request: Host and Origin checks, an id, headers that keep browsers out.

A control plane on loopback is still reachable from web pages: by DNS rebinding (a name that the
attacker owns resolves to 127.0.0.1, so ``Host`` is theirs) and by plain cross-site requests
(``Origin`` is theirs). Both are refused before routing, on every path, health and metrics included.
"""

import logging
from collections.abc import Callable, Sequence

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from steadyhand.control.failures import HostNotAllowed, OriginNotAllowed, escaped, response
from steadyhand.core.errors import SteadyhandError

log = logging.getLogger(__name__)

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
ANY_HOST = "*"

SECURITY_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


def host_name(host: str) -> str:
    """Return the name in a ``Host`` header: lower case, no port, no brackets; empty if malformed.

    Examples:
        ``[::1]:8081`` is ``::1``; ``Localhost:8081`` is ``localhost``.
    """
    if host.startswith("["):
        name, bracket, port = host[1:].partition("]")
        good = bracket and (not port or port.startswith(":"))
        return name.lower() if good else ""
    name, _, port = host.partition(":")
    return name.lower() if not port or port.isdigit() else ""


def refusal(
    hosts: Sequence[str],
    origins: Sequence[str],
    scheme: str,
    allowed_hosts: frozenset[str],
    allowed_origins: frozenset[str],
) -> SteadyhandError | None:
    """Decide whether a request with these ``Host`` and ``Origin`` headers is turned away.

    ``hosts`` and ``origins`` are all headers of that name: exactly one host is wanted, and at most
    one origin. An origin is allowed if it is this very host, or listed. Pure.
    """
    if len(hosts) != 1:
        return HostNotAllowed(f"{len(hosts)} Host headers instead of one")
    if ANY_HOST not in allowed_hosts and host_name(hosts[0]) not in allowed_hosts:
        return HostNotAllowed(
            f"host {hosts[0]!r} is not served here",
            hint="use a loopback address, or add the name to [control] allowed_hosts",
        )
    if not origins:
        return None
    if len(origins) == 1 and (
        origins[0] in allowed_origins or origins[0].lower() == f"{scheme}://{hosts[0].lower()}"
    ):
        return None
    return OriginNotAllowed(
        f"origin {', '.join(origins)!r} may not call this control plane",
        hint="add it to [control] allowed_origins if its pages are yours",
    )


class Guard:
    """Pure ASGI middleware: refuses foreign hosts and origins, stamps ids and security headers.

    What escapes the application leaves as a 500 in the one shape, and is logged with its id.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        allowed_hosts: frozenset[str],
        allowed_origins: frozenset[str],
        new_id: Callable[[], str],
        build: str = "",
    ) -> None:
        """Take what is allowed; ``*`` among the hosts turns that check off.

        Every answer names the ``build`` of the console, so that an open page sees an upgrade.
        """
        self._app = app
        self._allowed_hosts = frozenset(
            host_name(host) or host.lower()
            for host in allowed_hosts  # `[::1]` and `::1` are one
        )
        self._allowed_origins = allowed_origins
        self._new_id = new_id
        self._stamp = SECURITY_HEADERS | ({"x-steadyhand-build": build} if build else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # no other protocol is spoken; uvicorn is told so too
        request_id = self._new_id()
        scope.setdefault("state", {})["request_id"] = request_id

        started = False

        async def stamped(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                headers["x-request-id"] = request_id
                for name, value in self._stamp.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = refusal(
            _all(scope, b"host"),
            _all(scope, b"origin"),
            scope["scheme"],
            self._allowed_hosts,
            self._allowed_origins,
        )
        answer = self._app if refused is None else response(refused, request_id)
        try:
            await answer(scope, receive, stamped)
        except Exception as error:
            if started:
                raise
            log.exception("request %s failed", request_id)
            await response(escaped(error), request_id)(scope, receive, stamped)


def _all(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]
