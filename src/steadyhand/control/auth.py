"""Who is calling the control plane: today the bootstrap user, by a bearer token.

The token is made once, kept in a file that only this user can read, and held in memory as a hash.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from steadyhand.control.failures import InvalidToken
from steadyhand.core.errors import SecretUnavailable
from steadyhand.storage.files import create_secret

HINT = "send 'Authorization: Bearer <token>'; the token is in .steadyhand/control.token"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a request is made by.

    Attributes:
        name: ``bootstrap`` for the holder of the token file.
        method: How they proved it.
    """

    name: str
    method: str


BOOTSTRAP = Principal(name="bootstrap", method="token")


def token_hash(token: str) -> str:
    """Return what is kept of a token: SHA-256 in hex."""
    return hashlib.sha256(token.encode()).hexdigest()


def matches(token: str, expected_hash: str) -> bool:
    """Tell whether ``token`` is the one behind ``expected_hash``, in constant time."""
    return hmac.compare_digest(token_hash(token), expected_hash)


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


def authenticate(expected_hash: str) -> Callable[..., Principal]:
    """Make the dependency that lets only the holder of the token in.

    Raises:
        InvalidToken: From the dependency: no token, another scheme, or the wrong token.
    """
    scheme = HTTPBearer(auto_error=False, scheme_name="token", description=HINT)

    def principal(
        sent: Annotated[HTTPAuthorizationCredentials | None, Depends(scheme)],
    ) -> Principal:
        if sent is None:
            raise InvalidToken("no bearer token was sent", hint=HINT)
        if not matches(sent.credentials, expected_hash):
            raise InvalidToken("the bearer token is not the one in force", hint=HINT)
        return BOOTSTRAP

    return principal
