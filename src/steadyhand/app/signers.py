"""Who may sign commits of the registry: principals with keys, and control planes."""

from collections.abc import Mapping
from pathlib import Path

from steadyhand.registry.signatures import (
    SERVER_ROLE,
    Signers,
    parse_signers,
    signer_lines,
)
from steadyhand.registry.signing import PRINCIPAL, open_signer
from steadyhand.settings.principals import load_principals
from steadyhand.tenancy.settings import PrincipalSettings


def signers_of(principals: Mapping[str, PrincipalSettings], servers: tuple[str, ...]) -> Signers:
    """Return who may sign: ``principals``, and control planes with the public keys ``servers``."""
    return parse_signers("\n".join(_lines(principals, servers)))


def signer_file(workspace: Path, key: Path) -> str:
    """Return the same as a file; ``key`` is its control plane's, if that has one already."""
    servers = (open_signer(key).public_line(),) if key.exists() else ()
    return "".join(f"{line}\n" for line in _lines(load_principals(workspace), servers))


def _lines(principals: Mapping[str, PrincipalSettings], servers: tuple[str, ...]) -> list[str]:
    lines = []
    for name, one in sorted(principals.items()):
        lines += signer_lines(name, one.roles, one.ssh_keys)
    return [*lines, *signer_lines(PRINCIPAL, (SERVER_ROLE,), servers)]
