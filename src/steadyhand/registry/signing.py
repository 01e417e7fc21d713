"""Sign the registry's commits as OpenSSH does, so that ``git verify-commit`` can check them.

Source: PROTOCOL.sshsig and PROTOCOL.key of OpenSSH 9, read 2026-11; Git takes such a signature in
the header ``gpgsig`` when ``gpg.format`` is ``ssh``, with the namespace ``git``.
"""

import base64
import hashlib
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
)

from steadyhand.core.errors import SteadyhandError
from steadyhand.storage.files import create_secret

NAMESPACE: Final = "git"
SNAPSHOTS: Final = "steadyhand-snapshot"
"""Namespace of signatures of what is distributed: one of a commit is none of these."""
CERTIFICATES: Final = "steadyhand-certificate"
"""Namespace of signatures of certificates of roll-backs."""

PRINCIPAL: Final = "registry@steadyhand.invalid"
_MAGIC: Final = b"SSHSIG"
_HASH: Final = "sha512"
_WIDTH: Final = 70


class RegistryKeyUnusable(SteadyhandError):
    """The key that signs the registry's commits cannot be read, or others can read it."""

    code = "registry_key_unusable"


class CommitSigner:
    """Signs with one Ed25519 key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        """Take the key."""
        self._key = key

    def __call__(self, payload: bytes, namespace: str = NAMESPACE) -> bytes:
        """Return an armored signature of ``payload`` in a namespace; ``git`` for commits."""
        public = self._public_blob()
        digest = hashlib.sha512(payload).digest()
        signed = _MAGIC + b"".join(map(_string, (namespace.encode(), b"", _HASH.encode(), digest)))
        signature = _string(b"ssh-ed25519") + _string(self._key.sign(signed))
        blob = _MAGIC + (1).to_bytes(4, "big")
        parts = (public, namespace.encode(), b"", _HASH.encode(), signature)
        encoded = base64.b64encode(blob + b"".join(map(_string, parts))).decode()
        lines = [encoded[at : at + _WIDTH] for at in range(0, len(encoded), _WIDTH)]
        return "\n".join(
            ["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----"]
        ).encode()

    def public_line(self) -> str:
        """Return the public key as one line of OpenSSH."""
        return self._key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()

    def allowed_signer(self) -> str:
        """Return the line of ``gpg.ssh.allowedSignersFile`` that lets Git check the commits."""
        return f'{PRINCIPAL} namespaces="{NAMESPACE}" {self.public_line()}'

    def _public_blob(self) -> bytes:
        return base64.b64decode(self.public_line().split(" ")[1])


def open_signer(path: Path) -> CommitSigner:
    """Return the signer whose key is in ``path``; make one, mode 600, if there is none.

    Raises:
        RegistryKeyUnusable: Others can read it, or it is no Ed25519 key.
        OSError: The directory is missing or not ours.
    """
    if not path.exists():
        made = Ed25519PrivateKey.generate()
        create_secret(path, made.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    if path.stat().st_mode & 0o077:
        raise RegistryKeyUnusable(
            f"the registry's key {path.name} can be read by other users",
            hint=f"chmod 600 {path.name}, or remove it: a new one is made",
        )
    try:
        key = load_ssh_private_key(path.read_bytes(), None)
    except ValueError as error:
        raise RegistryKeyUnusable(
            f"the registry's key {path.name} cannot be read: {error}",
            hint="remove it: a new one is made; what is signed stays signed",
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise RegistryKeyUnusable(f"the registry's key {path.name} is no Ed25519 key")
    return CommitSigner(key)


def _string(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content
