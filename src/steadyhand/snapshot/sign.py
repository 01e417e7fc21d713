"""Sign snapshots, so that a gateway serves only what this installation's supervisor compiled.

HMAC-SHA256 with a key that both sides read from one file of mode 600. Signer and verifier run as
one user on one machine, so whoever can read the key could replace the gateway as well: a shared
key protects against torn writes, stray files and other users, which is all there is to protect
against here. A snapshot that is pushed over a network needs an asymmetric signature, whose
verifier cannot sign.

A signed file is two lines and a body: format and length of the body, the HMAC in hex over the
first line and the body, the body.
"""

import hashlib
import hmac
import secrets
from pathlib import Path

from steadyhand.core.errors import SteadyhandError
from steadyhand.storage.files import create_secret

KEY_BYTES = 32
_FORMAT = b"steadyhand-snapshot 2"


class SnapshotRefused(SteadyhandError):
    """A snapshot file is there but must not be served from."""

    code = "snapshot_refused"


class SnapshotTorn(SnapshotRefused):
    """The file is cut short or is not a snapshot file."""

    code = "snapshot_torn"


class SnapshotForged(SnapshotRefused):
    """The signature does not match: content was changed, or signed with another key."""

    code = "snapshot_forged"


class SigningKeyUnusable(SnapshotRefused):
    """The file with the signing key cannot be trusted or read."""

    code = "signing_key_unusable"


def open_key(path: Path) -> bytes:
    """Return the key in ``path``; make a random one, mode 600, if there is none.

    Raises:
        SigningKeyUnusable: Others can read it, or it is not 32 bytes long.
        OSError: The directory is missing or not ours.
    """
    if not path.exists():
        create_secret(path, secrets.token_bytes(KEY_BYTES))
    if path.stat().st_mode & 0o077:
        raise SigningKeyUnusable(
            f"signing key {path} can be read by other users",
            hint=f"remove it and restart; a new one is made: rm {path}",
        )
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise SigningKeyUnusable(
            f"signing key {path} has {len(key)} bytes, not {KEY_BYTES}",
            hint=f"remove it and restart; a new one is made: rm {path}",
        )
    return key


def sign(body: bytes, key: bytes) -> bytes:
    """Return ``body`` with its head: format, length and signature."""
    head = b"%s %d" % (_FORMAT, len(body))
    return b"%s\n%s\n%s" % (head, _signature(head, body, key), body)


def verify(signed: bytes, key: bytes) -> bytes:
    """Return the body of a signed file.

    Raises:
        SnapshotTorn: Its shape or length is wrong.
        SnapshotForged: Its signature is wrong.
    """
    head, _, rest = signed.partition(b"\n")
    signature, _, body = rest.partition(b"\n")
    if not head.startswith(_FORMAT + b" "):
        raise SnapshotTorn("it does not begin as a snapshot file does")
    if head != b"%s %d" % (_FORMAT, len(body)):
        raise SnapshotTorn(f"its body has {len(body)} bytes, not as many as its head says")
    if not hmac.compare_digest(signature, _signature(head, body, key)):
        raise SnapshotForged("its signature does not match")
    return body


def _signature(head: bytes, body: bytes, key: bytes) -> bytes:
    return hmac.new(key, head + b"\n" + body, hashlib.sha256).hexdigest().encode()
