"""Check signatures of commits as OpenSSH makes them, against a list of allowed signers.

Source: PROTOCOL.sshsig of OpenSSH 9 and ssh-keygen(1), ALLOWED SIGNERS, read 2026-11. Of a line's
options only ``namespaces`` is known; a line with another one is refused, because what it would take
away is not known. What roles a signer has stands in the line's comment, ``roles=author,approver``:
OpenSSH ignores it there, so one file serves Git and us.
"""

import base64
import binascii
import hashlib
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from steadyhand.core.errors import ConfigurationError, SteadyhandError
from steadyhand.registry.signing import NAMESPACE
from steadyhand.tenancy.principals import ROLES
from steadyhand.tenancy.settings import Role

_ARMOR: Final = re.compile(
    rb"-----BEGIN SSH SIGNATURE-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END SSH SIGNATURE-----\s*\Z"
)
_HASHES: Final = {b"sha256": hashlib.sha256, b"sha512": hashlib.sha512}
_RSA: Final = {b"rsa-sha2-256": hashes.SHA256, b"rsa-sha2-512": hashes.SHA512}
_CURVES: Final[Mapping[str, type[hashes.HashAlgorithm]]] = {
    "secp256r1": hashes.SHA256,
    "secp384r1": hashes.SHA384,
    "secp521r1": hashes.SHA512,
}
_KEY_TYPES: Final = ("ssh-", "ecdsa-", "sk-")
SERVER_ROLE: Final = "server"
"""In the place of roles: the key of a control plane, which has checked what it signs."""


class SignatureRefused(SteadyhandError):
    """A commit is not signed, or not by a key that may sign here."""

    code, status = "signature_refused", 403


class SignersInvalid(ConfigurationError):
    """The list of allowed signers has a mistake; nothing is let in until it is mended."""

    code = "signers_invalid"


class Signer(NamedTuple):
    """Whose key it is.

    Attributes:
        name: Of the principal.
        roles: What they may do.
        is_server: Whether it is a control plane's key, which signs for others.
    """

    name: str
    roles: frozenset[Role]
    is_server: bool = False


Signers = Mapping[bytes, Signer]
"""Public key, as OpenSSH encodes it, → whose it is."""


def signer_of(
    payload: bytes, armored: bytes, signers: Signers, namespace: str = NAMESPACE
) -> Signer:
    """Return who signed ``payload`` in ``namespace``.

    Raises:
        SignatureRefused: The signature is none, is wrong, or of a key that is not in ``signers``.
    """
    blob = _decoded(armored)
    key, said, hash_name, signature = _parts(blob)
    if said != namespace.encode() or hash_name not in _HASHES:
        raise SignatureRefused(f"the signature is not one for {namespace}", hint="git commit -S")
    signer = signers.get(key)
    if signer is None:
        raise SignatureRefused(
            "it is signed with a key that may not sign here",
            hint="add it to ssh_keys of the principal in principals.toml",
        )
    digest = _HASHES[hash_name](payload).digest()
    signed = b"SSHSIG" + b"".join(map(_string, (said, b"", hash_name, digest)))
    if not _verifies(key, signature, signed):
        raise SignatureRefused("the signature does not match the commit", hint="sign it again")
    return signer


def parse_signers(text: str) -> dict[bytes, Signer]:
    """Return the signers in a file as ``gpg.ssh.allowedSignersFile`` names one.

    Raises:
        SignersInvalid: A line cannot be used; the message says which.
    """
    found: dict[bytes, Signer] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            key, signer = _line(line)
        except ValueError as error:
            raise SignersInvalid(
                f"line {number} of the allowed signers: {error}",
                hint="steadyhand principal signers writes the file",
            ) from error
        if found.get(key, signer) != signer:
            raise SignersInvalid(f"line {number} of the allowed signers: a key of two people")
        found[key] = signer
    return found


def signer_lines(name: str, roles: Sequence[str], keys: Sequence[str]) -> list[str]:
    """Return the lines of that file for one principal.

    Args:
        name: Of the principal.
        roles: Theirs, or :data:`SERVER_ROLE`.
        keys: Public keys as OpenSSH writes them: type and base64, a comment or none.
    """
    said = f"roles={','.join(roles)}"
    return [f'{name} namespaces="{NAMESPACE}" {" ".join(key.split()[:2])} {said}' for key in keys]


def key_blob(public_line: str) -> bytes:
    """Return the key in a line as ``ssh-keygen`` writes it to a ``.pub`` file.

    Raises:
        ValueError: It is none that can be used.
    """
    parts = public_line.split()
    if len(parts) < 2:
        raise ValueError("a key is its type and its base64")
    try:
        blob = base64.b64decode(parts[1], validate=True)
        load_ssh_public_key(f"{parts[0]} {parts[1]}".encode())
    except (binascii.Error, ValueError, UnsupportedAlgorithm) as error:
        raise ValueError(f"no key that can be used: {error}") from error
    return blob


def _line(line: str) -> tuple[bytes, Signer]:
    parts = shlex.split(line)
    at = next((n for n, part in enumerate(parts) if part.startswith(_KEY_TYPES)), 0)
    if at not in (1, 2) or len(parts) < at + 2:
        raise ValueError("it is: NAME [namespaces=…] TYPE KEY roles=…")
    option = parts[1] if at == 2 else ""
    name, _, wanted = option.partition("=")
    if option and (name != "namespaces" or NAMESPACE not in wanted.split(",")):
        raise ValueError(f"the option {option[:60]!r} is not known here")
    said = next((part for part in parts[at + 2 :] if part.startswith("roles=")), "roles=reader")
    roles = said.removeprefix("roles=").split(",")
    if roles == [SERVER_ROLE]:
        signer = Signer(parts[0], frozenset(), is_server=True)
    else:
        unknown = [role for role in roles if role not in ROLES]
        if unknown:
            raise ValueError(f"there is no role {unknown[0][:60]!r}")
        signer = Signer(parts[0], frozenset(role for role in ROLES if role in roles))
    return key_blob(f"{parts[at]} {parts[at + 1]}"), signer


def _decoded(armored: bytes) -> bytes:
    match = _ARMOR.match(armored.strip() + b"\n")
    if match is None:
        raise SignatureRefused("it has no SSH signature", hint="git commit -S with gpg.format=ssh")
    try:
        return base64.b64decode(match[1])
    except binascii.Error as error:
        raise SignatureRefused("its signature is not base64") from error


def _parts(blob: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Return key, namespace, hash and signature of an SSHSIG blob, version 1."""
    if not blob.startswith(b"SSHSIG\x00\x00\x00\x01"):
        raise SignatureRefused("its signature is of another format")
    try:
        key, at = _read(blob, 10)
        namespace, at = _read(blob, at)
        _, at = _read(blob, at)
        hash_name, at = _read(blob, at)
        signature, at = _read(blob, at)
    except ValueError as error:
        raise SignatureRefused("its signature is cut short") from error
    return key, namespace, hash_name, signature


def _verifies(key: bytes, signature: bytes, signed: bytes) -> bool:
    try:
        kind, at = _read(signature, 0)
        raw, _ = _read(signature, at)
        key_kind, _ = _read(key, 0)
        public = load_ssh_public_key(key_kind + b" " + base64.b64encode(key))
        if isinstance(public, Ed25519PublicKey) and kind == b"ssh-ed25519":
            public.verify(raw, signed)
        elif isinstance(public, rsa.RSAPublicKey) and kind in _RSA:
            public.verify(raw, signed, padding.PKCS1v15(), _RSA[kind]())
        elif isinstance(public, ec.EllipticCurvePublicKey) and kind == key_kind:
            r, at = _read(raw, 0)
            s, _ = _read(raw, at)
            numbers = encode_dss_signature(int.from_bytes(r), int.from_bytes(s))
            public.verify(numbers, signed, ec.ECDSA(_CURVES[public.curve.name]()))
        else:
            return False
    except (InvalidSignature, ValueError, KeyError, UnsupportedAlgorithm):
        return False
    return True


def _read(blob: bytes, at: int) -> tuple[bytes, int]:
    """Return the string at ``at``, and where it ends."""
    length = int.from_bytes(blob[at : at + 4])
    end = at + 4 + length
    if len(blob) < at + 4 or len(blob) < end:
        raise ValueError("cut short")
    return blob[at + 4 : end], end


def _string(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content
