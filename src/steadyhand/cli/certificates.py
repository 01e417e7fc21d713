"""Certificates of roll-backs: where they are read from, and what is looked at."""

import sys
from pathlib import Path

from steadyhand.cli.errors import Usage
from steadyhand.cli.output import Row
from steadyhand.cli.session import Session
from steadyhand.core.errors import SteadyhandError


def read(session: Session, id_: str, file: Path | None, clone: tuple[Path | None, str]) -> str:
    """Return the certificate from where the command line says that it is.

    Raises:
        Usage: It names no place, or several.
        CertificateMissing: There is none.
    """
    repository, commit = clone
    if sum((bool(id_), file is not None, repository is not None)) != 1:
        raise Usage("name one place", hint="an id, --file FILE or --repository FOLDER")
    if file is not None:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    if repository is not None:
        return _from_clone(repository, commit)
    import json

    return json.dumps(session.client.get(f"/rollouts/{id_}/certificate"))


def _from_clone(folder: Path, commit: str) -> str:
    from steadyhand.registry.git import notes

    found = notes.read_in(folder, commit)
    if not found:
        raise Usage(
            f"{folder} has no certificate there",
            hint="git fetch origin refs/notes/rollouts:refs/notes/rollouts",
        )
    return found


def checks(text: str, key: str) -> list[Row]:
    """Return what was looked at, one row each.

    Raises:
        CertificateDamaged: It is no certificate.
    """
    import msgspec

    from steadyhand.rollouts.certificate import decode, verify

    found, sealed = decode(text)
    rows: list[Row] = [msgspec.to_builtins(one) for one in verify(found)]
    return [_signed(sealed.certificate.encode(), sealed.signature.encode(), key), *rows]


def _signed(payload: bytes, signature: bytes, key: str) -> Row:
    from steadyhand.registry.signatures import Signer, key_blob, signer_of
    from steadyhand.registry.signing import CERTIFICATES

    if not key:
        told = "not looked at; --key says whose signature it must be"
        return {"name": "signature", "holds": True, "message": told}
    try:
        trusted = {key_blob(key): Signer("the registry", frozenset())}
        signer = signer_of(payload, signature, trusted, CERTIFICATES)
    except (SteadyhandError, ValueError) as error:
        return {"name": "signature", "holds": False, "message": str(error)}
    return {"name": "signature", "holds": True, "message": f"by the key of {signer.name}"}
