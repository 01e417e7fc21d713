"""Who may change and see what on the control plane: names, tokens by hash, roles. Pure."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from steadyhand.tenancy.settings import HASH_SCHEME

Role = Literal["author", "approver", "operator", "reader"]
ROLES: Final[tuple[Role, ...]] = ("author", "approver", "operator", "reader")
PREFIX: Final = "shp_"
"""Marks a principal's token as ours."""


class PrincipalSettings(BaseModel):
    """One ``[principals.<name>]`` table of ``principals.toml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hash: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")] = Field(
        description="`sha256:` and the SHA-256 of the token in hex; `steadyhand principal create` "
        "writes it"
    )
    roles: tuple[Role, ...] = Field(
        default=("reader",),
        description="`author` puts releases, `approver` approves those of others, `operator` moves "
        "channels and gives orders to the installation, `reader` sees; each may see",
    )


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a request is made by.

    Attributes:
        name: Of the table, or ``bootstrap`` for the holder of the token file.
        method: How they proved it.
        roles: What they may do.
    """

    name: str
    method: str
    roles: frozenset[str]

    def may(self, role: Role) -> bool:
        """Tell whether they have ``role``; everybody who is known may read."""
        return role == "reader" or role in self.roles


BOOTSTRAP: Final = Principal("bootstrap", "token", frozenset(ROLES))
"""The holder of the installation's own token: every role, but no exception from any rule."""


def token_hash(token: str) -> str:
    """Return what is kept of a token: SHA-256 in hex."""
    return sha256(token.encode()).hexdigest()


def identify(
    token: str, bootstrap_hash: str, principals: Mapping[str, PrincipalSettings]
) -> Principal | None:
    """Return whose token it is, ``None`` for nobody's.

    Every known hash is compared, each in constant time, so that the answer's time tells nothing.
    """
    sent = token_hash(token)
    found = BOOTSTRAP if hmac.compare_digest(sent, bootstrap_hash) else None
    for name, settings in principals.items():
        if hmac.compare_digest(sent, settings.hash.removeprefix(HASH_SCHEME)):
            found = found or Principal(name, "token", frozenset(settings.roles))
    return found
