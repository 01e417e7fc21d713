"""Bounds what a request may bring before it is known who sends it.

The framework reads a whole body before it asks who is there, so without this anybody who reaches
the port could fill the process's memory.
"""

from collections.abc import Callable
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES: Final = 256 << 10
"""Of anybody's body: a login, an order, a file of environments."""
MOST_BYTES_WITH_TOKEN: Final = 96 << 20
"""Of a release in base64, which comes with a bearer token; the registry bounds it further."""
TOO_LARGE: Final = 413


class BoundedBodies:
    """Pure ASGI middleware: a body that gets too long is refused where it is read."""

    def __init__(self, app: ASGIApp, *, is_known: Callable[[str], bool]) -> None:
        """Take what tells whether a bearer token is somebody's."""
        self._app, self._is_known = app, is_known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_known = self._is_known(bearer_token(scope))
        most, length = MOST_BYTES_WITH_TOKEN if is_known else MOST_BYTES, 0

        async def counted() -> Message:
            nonlocal length
            message = await receive()
            length += len(message.get("body", b""))
            if length > most:
                raise HTTPException(TOO_LARGE, f"the body is longer than {most} bytes")
            return message

        await self._app(scope, counted, send)


def bearer_token(scope: Scope) -> str:
    """Return the bearer token that a request carries; empty for none."""
    for name, value in scope["headers"]:
        scheme, _, token = value.decode("latin-1").partition(" ")
        if name == b"authorization" and scheme.lower() == "bearer":
            return str(token.strip())
    return ""
