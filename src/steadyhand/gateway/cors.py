"""Cross-origin calls from browsers: refused unless an origin is named in the settings."""

from steadyhand.http.messages import Header, Request

METHODS = b"GET, POST, OPTIONS"


class Cors:
    """The origins that may call."""

    def __init__(self, origins: tuple[str, ...]) -> None:
        """Take exact origins (``https://app.example``); ``*`` allows every origin."""
        self._any = "*" in origins
        self._origins = frozenset(origin.encode() for origin in origins)

    def headers(self, request: Request) -> tuple[Header, ...]:
        """Return the headers that let a named origin read the reply."""
        origin = request.headers.get(b"origin")
        if origin is None or not (self._any or origin in self._origins):
            return ()
        exposed = b"x-request-id, x-steadyhand-request-id, x-steadyhand-rung, retry-after"
        return (
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", exposed),
            (b"vary", b"origin"),
        )

    def preflight(self, request: Request) -> list[Header]:
        """Return the headers that answer ``OPTIONS``."""
        allowed = self.headers(request)
        if not allowed:
            return [(b"allow", METHODS)]
        wanted = request.headers.get(b"access-control-request-headers", b"authorization")
        return [
            *allowed,
            (b"allow", METHODS),
            (b"access-control-allow-methods", METHODS),
            (b"access-control-allow-headers", wanted),
            (b"access-control-max-age", b"600"),
        ]
