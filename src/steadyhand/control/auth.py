"""Who is calling the control plane: the bootstrap user or a principal, by a bearer token.

The bootstrap token is made once, kept in a file that only this user can read, and held in memory as
a hash; principals stand in ``principals.toml`` by the hashes of theirs.
"""

import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from steadyhand.control.failures import InvalidToken
from steadyhand.control.login import CODES, HEADER, cookie_name
from steadyhand.control.sessions import SessionOver, Sessions
from steadyhand.core.errors import SecretUnavailable, SteadyhandError
from steadyhand.registry.writer import RoleMissing
from steadyhand.storage.files import create_secret
from steadyhand.tenancy.principals import Principal

HINT = "send 'Authorization: Bearer <token>'; the token is in .steadyhand/control.token"
SESSION = "session"
LOOKING = frozenset({"GET", "HEAD", "OPTIONS"})
REGISTRY = ("/api/v1/releases", "/api/v1/channels", "/api/v1/registry")
"""Where the service of the registry checks the role of each order."""
HINTS = "/api/v1/alerts/alertmanager"
"""Where the role ``alert`` suffices: it is a hint, and no order."""


def load_or_create_token(path: Path) -> str:
    """Return the token kept at ``path``; make one, readable by this user only, if there is none.

    Two processes that start together agree: the file is created exclusively, whole.

    Raises:
        SecretUnavailable: The file is empty, or others may read it.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        create_secret(path, f"shc_{secrets.token_urlsafe(32)}\n".encode("ascii"))
    if path.stat().st_mode & 0o077:
        raise SecretUnavailable(
            f"token file {path} can be read by other users", hint=f"chmod 600 {path}"
        )
    token = path.read_text(encoding="utf-8").strip()
    if not token:
        raise SecretUnavailable(
            f"token file {path} is empty", hint="delete it; a new one is made at the next start"
        )
    return token


class HeaderMissing(SteadyhandError):
    """An order came with a browser's cookie alone, as another site's page might have sent it."""

    code, status = "header_missing", 403


class TokenWanted(SteadyhandError):
    """A browser's session asks for a login code: sessions beget no sessions, or none would end."""

    code, status = "token_wanted", 403


class Door:
    """Tells who a request is made by, a token or a browser's session proving it."""

    def __init__(
        self,
        identified: Callable[[str], Principal | None],
        known: Callable[[str], Principal | None],
        sessions: Sessions,
    ) -> None:
        """Take what returns whose token it is, whose token has a hash, and browsers' sessions."""
        self._identified, self._known, self._sessions = identified, known, sessions

    def by_token(self, token: str) -> Principal:
        """Return whose token it is.

        Raises:
            InvalidToken: Nobody's.
        """
        found = self._identified(token)
        if found is None:
            raise InvalidToken("the bearer token is not one in force", hint=HINT)
        return found

    def by_session(self, request: Request) -> Principal:
        """Return whose session the request's cookie belongs to.

        Raises:
            InvalidToken: There is no cookie either.
            SessionOver: The session has ended, or its token was revoked.
            HeaderMissing: An order lacks the header that only our own page adds.
        """
        cookie = request.cookies.get(cookie_name(request))
        if cookie is None:
            raise InvalidToken("no bearer token was sent", hint=HINT)
        found = self._known(self._sessions.token_of(cookie))
        if found is None:
            self._sessions.end(cookie)
            raise SessionOver("the token of this session was revoked", hint="log in again")
        if request.method not in LOOKING and HEADER not in request.headers:
            raise HeaderMissing(
                f"orders with a cookie need the header {HEADER}", hint="or send a bearer token"
            )
        return replace(found, method=SESSION)

    def is_open_to(self, request: Request, principal: Principal) -> bool:
        """Tell whether who was let in would still be; for answers that have no end of their own."""
        if principal.method == SESSION:
            cookie = request.cookies.get(cookie_name(request), "")
            if not self._sessions.holds(cookie):
                return False
        return self._known(principal.proof) is not None


def authenticate(door: Door) -> Callable[..., Principal]:
    """Make the dependency that lets only known principals in.

    Whoever is known may look (``GET``). Orders take the role operator, but for those to the
    registry, whose service checks the role of each.

    Raises:
        InvalidToken: From the dependency: no token, another scheme, or nobody's token.
        SessionOver: From the dependency; see :class:`Door`, and so is HeaderMissing.
        TokenWanted: From the dependency: a session asks for a code.
        RoleMissing: The principal may not give orders.
    """
    scheme = HTTPBearer(auto_error=False, scheme_name="token", description=HINT)

    def principal(
        request: Request,
        sent: Annotated[HTTPAuthorizationCredentials | None, Depends(scheme)],
    ) -> Principal:
        found = door.by_session(request) if sent is None else door.by_token(sent.credentials)
        path = request.url.path
        if path == CODES:
            return _with_token(found)
        if path == HINTS and found.may("alert"):
            return found
        is_of_registry = path.startswith(REGISTRY)
        if request.method not in LOOKING and not is_of_registry and not found.may("operator"):
            raise RoleMissing(
                f"{found.name} has not the role operator",
                hint="roles stand in principals.toml of the workspace",
            )
        return found

    return principal


def _with_token(found: Principal) -> Principal:
    if found.method == SESSION:
        raise TokenWanted(
            "a login code is made with a token, not with a session",
            hint="`steadyhand console` has one",
        )
    return found
