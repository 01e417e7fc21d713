"""Origins: where requests go, from a base URL, and the heads of requests to them."""

from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from typing_extensions import override

from steadyhand.core.errors import ConfigurationError
from steadyhand.http.head import header_lines
from steadyhand.http.messages import Headers

_DEFAULT_PORTS = {"http": 80, "https": 443}


class Origin:
    """Scheme, host and port of an upstream, with the path that its URLs begin with.

    Attributes:
        scheme: ``http`` or ``https``.
        host: Name or address in ASCII (international names as IDNA), IPv6 without brackets.
        port: TCP port.
        base_path: ASCII path without trailing slash; empty for the root.
        authority: Value of the ``Host`` field.
        socket_path: Unix socket to connect to instead of host and port, or ``None``.
    """

    __slots__ = ("authority", "base_path", "host", "port", "scheme", "socket_path")

    def __init__(self, scheme: str, host: str, port: int, base_path: str = "") -> None:
        """Hold the parts; :meth:`parse` checks them."""
        self.scheme = scheme
        self.host = host
        self.port = port
        self.base_path = base_path.encode("ascii")
        name = f"[{host}]" if ":" in host else host
        shown = name if port == _DEFAULT_PORTS[scheme] else f"{name}:{port}"
        self.authority = shown.encode("ascii")
        self.socket_path: Path | None = None

    @classmethod
    def at_socket(cls, path: Path, base_path: str = "") -> "Origin":
        """Return a plain-HTTP origin behind a Unix socket of this machine."""
        origin = cls("http", "localhost", 80, base_path)
        origin.socket_path = path
        return origin

    @classmethod
    def parse(cls, base_url: str) -> "Origin":
        """Read a base URL such as ``https://api.example.com/v1``.

        Raises:
            ConfigurationError: Not an absolute http(s) URL, or with user, query or fragment.
        """
        hint = "write it as https://host[:port][/path]"
        try:
            parts = urlsplit(base_url)
            port = parts.port
            host = (parts.hostname or "").encode("idna").decode("ascii")
            base_path = parts.path.rstrip("/").encode("ascii").decode("ascii")
        except ValueError as error:
            raise ConfigurationError(f"base URL {base_url!r}: {error}", hint=hint) from None
        if parts.scheme not in _DEFAULT_PORTS or not host:
            raise ConfigurationError(f"base URL {base_url!r} is not absolute http(s)", hint=hint)
        if parts.username is not None or parts.password is not None:
            raise ConfigurationError(
                f"base URL for {host!r} holds a user", hint="give credentials in their own setting"
            )
        if parts.query or parts.fragment or any(c <= " " or c == "\x7f" for c in base_url):
            raise ConfigurationError(f"base URL {base_url!r} holds more than a path", hint=hint)
        return cls(parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme], base_path)

    @override
    def __repr__(self) -> str:
        """Read as the base URL."""
        return f"{self.scheme}://{self.authority.decode()}{self.base_path.decode()}"


@lru_cache(maxsize=1024)
def _first_lines(method: bytes, target: bytes, authority: bytes) -> bytes:
    return b"%b %b HTTP/1.1\r\nhost: %b\r\n" % (method, target, authority)


def request_head(
    method: bytes, path: bytes, origin: Origin, headers: Headers, content_length: int
) -> bytes:
    """Return a whole request head with ``Host`` and ``Content-Length``, blank line included.

    Args:
        method: Upper-case token.
        path: Put after the origin's base path; begins with ``/`` and may hold a query.
        origin: Where it goes.
        headers: Any but Host, Content-Length, Transfer-Encoding, Connection.
        content_length: Bytes of the body.

    Raises:
        ValueError: A field holds a line break.
    """
    first = _first_lines(method, origin.base_path + path, origin.authority)
    return b"%b%bcontent-length: %d\r\n\r\n" % (first, header_lines(headers), content_length)
