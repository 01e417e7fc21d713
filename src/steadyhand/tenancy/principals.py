"""Who may change and see what on the control plane: names, tokens by hash, roles. Pure."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final

from steadyhand.tenancy.settings import HASH_SCHEME, PrincipalSettings, Role

ROLES: Final[tuple[Role, ...]] = ("author", "approver", "operator", "reader", "gateway", "alert")
PREFIX: Final = "shp_"
"""Marks a principal's token as ours."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a request is made by.

    Attributes:
        name: Of the table, or ``bootstrap`` for the holder of the token file.
        method: How they proved it.
        roles: What they may do.
        tenants: For a gateway: whose snapshots it may have; empty for all.
        proof: Hash of the token that they showed, now or when their session began.
    """

    name: str
    method: str
    roles: frozenset[str]
    tenants: frozenset[str] = frozenset()
    proof: str = field(default="", compare=False, repr=False)

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
    """Return whose token it is, ``None`` for nobody's."""
    return holder(token_hash(token), bootstrap_hash, principals)


def holder(
    sent: str, bootstrap_hash: str, principals: Mapping[str, PrincipalSettings]
) -> Principal | None:
    """Return whose token has the hash ``sent``, ``None`` for nobody's.

    Every known hash is compared, each in constant time, so that the answer's time tells nothing.
    """
    found = replace(BOOTSTRAP, proof=sent) if hmac.compare_digest(sent, bootstrap_hash) else None
    for name, settings in principals.items():
        if hmac.compare_digest(sent, settings.hash.removeprefix(HASH_SCHEME)):
            roles, tenants = frozenset(settings.roles), frozenset(settings.tenants)
            found = found or Principal(name, "token", roles, tenants, sent)
    return found
