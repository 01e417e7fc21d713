"""Request targets and ``Host``: what llhttp takes as it comes and a strict server may not.

Two servers that read one target differently are a way past the rules of the first. So a target
has exactly one of the forms of RFC 9112, 3.2, no fragment, and a Host is a host.
"""

import re

from steadyhand.http.refusal import bad_request

_HOST = re.compile(rb"(?:[A-Za-z0-9._~%!$&'()*+;=-]*|\[[0-9A-Fa-fvV:.]+\])(?::[0-9]{0,5})?")


def check_host(host: bytes) -> None:
    """Refuse what is no host and port (RFC 9112, 3.2); repeated fields hold a comma.

    Raises:
        Refusal: 400.
    """
    if not _HOST.fullmatch(host):
        raise bad_request("one Host header with a host is required")


def origin_form(method: bytes, url: bytes) -> tuple[bytes, bytes, bytes | None]:
    """Return path, query and, of an absolute target, the host that overrides ``Host``.

    Raises:
        Refusal: 400, a target of no form that is served here.
    """
    if b"#" in url:
        raise bad_request("a request target has no fragment")
    host = None
    if not url.startswith(b"/"):
        url, host = _path_of(method, url)
    path, _, query = url.partition(b"?")
    return path, query, host


def _path_of(method: bytes, url: bytes) -> tuple[bytes, bytes | None]:
    """Return path and query, and the authority, of a target that does not begin with a slash."""
    if url == b"*" and method == b"OPTIONS":
        return url, None
    scheme, found, rest = url.partition(b"://")
    if not found or scheme.lower() not in (b"http", b"https"):
        raise bad_request("the request target is neither a path nor an http address")
    ends = [at for at in (rest.find(b"/"), rest.find(b"?")) if at >= 0]
    end = min(ends, default=len(rest))
    authority, path = rest[:end], rest[end:]
    if not authority:
        raise bad_request("the request target names no host")
    check_host(authority)
    return (path if path.startswith(b"/") else b"/" + path), authority
