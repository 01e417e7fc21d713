"""REST of the login: a browser's session, begun with a one-time code or a token, and ended.

The cookie is of this host and port only by name (cookies know no ports), cannot be read by scripts
and is not sent by pages of other sites. Orders that come with it need a header besides, which no
page of another site can add without being asked for leave, which the guard denies.
"""

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from steadyhand.control.failures import InvalidToken
from steadyhand.control.sessions import CODE_S, LASTING_S, CodeSpent, Sessions
from steadyhand.tenancy.principals import Principal, token_hash

CODES: Final = "/api/v1/session/codes"
"""Where every principal may ask for a code: it lets in nobody who could not come in anyhow."""
HEADER: Final = "x-steadyhand-console"
"""Orders with a cookie carry it, with any value."""


class CodeView(BaseModel):
    """A one-time code."""

    code: str
    expires_s: float = Field(description="seconds until it lets nobody in")


class LoginRequest(BaseModel):
    """What proves who is there: one of the two."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(default="", max_length=200, description="of `steadyhand console`")
    token: str = Field(default="", max_length=500, description="of the installation or a principal")


class SessionView(BaseModel):
    """Who has logged in."""

    name: str
    roles: list[str] = Field(description="what they may do beside looking")


def cookie_name(request: Request) -> str:
    """Return the name of the session's cookie here."""
    return f"steadyhand_{request.url.port or request.url.scheme}"


def is_over_tls(request: Request) -> bool:
    """Tell whether the browser speaks TLS, to us or to a proxy before us.

    We see a proxy's plain request, but the page's own origin says it; the guard has allowed that.
    """
    return request.url.scheme == "https" or request.headers.get("origin", "").startswith("https:")


def router(sessions: Sessions, known: Callable[[str], Principal | None]) -> APIRouter:
    """Make the login's router; ``known`` returns whose token has a hash."""
    routes = APIRouter(prefix="/session", tags=["login"])

    @routes.post("", summary="Log in with a browser", operation_id="begin_session")
    def begin(wanted: LoginRequest, request: Request, response: Response) -> SessionView:
        address = request.client.host if request.client else ""
        sessions.check(address)
        try:
            proof = sessions.redeem(wanted.code) if wanted.code else token_hash(wanted.token)
            principal = known(proof)
            if principal is None:
                raise InvalidToken(
                    "this token is not one in force",
                    hint="it is in .steadyhand/control.token of the workspace",
                )
        except (InvalidToken, CodeSpent):
            sessions.failed(address)
            raise
        response.set_cookie(
            cookie_name(request),
            sessions.begin(proof),
            max_age=round(LASTING_S),
            secure=is_over_tls(request),
            httponly=True,
            samesite="strict",
        )
        return SessionView(name=principal.name, roles=sorted(principal.roles))

    @routes.delete("", summary="Log out", operation_id="end_session", status_code=204)
    def end(request: Request, response: Response) -> None:
        sessions.end(request.cookies.get(cookie_name(request), ""))
        response.delete_cookie(
            cookie_name(request), secure=is_over_tls(request), httponly=True, samesite="strict"
        )

    return routes


def add_codes(api: APIRouter, sessions: Sessions, login: Any) -> None:
    """Add the making of codes to ``api``; ``login`` is the dependency that tells who asks."""

    @api.post("/session/codes", tags=["login"], summary="Make a login code", operation_id="code")
    def make_code(principal: Annotated[Principal, login]) -> CodeView:
        return CodeView(code=sessions.code_for(principal.proof), expires_s=CODE_S)
