"""Signatures as OpenSSH makes them, checked by an own reading of its format."""

import base64
import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from steadyhand.registry.signing import PRINCIPAL, RegistryKeyUnusable, open_signer

PAYLOAD = b"tree 1234\nauthor alice\n\nRelease it\n"


def strings(blob: bytes) -> list[bytes]:
    """Return the strings of an SSH message."""
    found = []
    while blob:
        length = int.from_bytes(blob[:4], "big")
        found.append(blob[4 : 4 + length])
        blob = blob[4 + length :]
    return found


def check(armored: bytes, payload: bytes) -> str:
    """Check a signature as PROTOCOL.sshsig says, and return the public key's type."""
    lines = armored.decode().splitlines()
    assert (lines[0], lines[-1]) == (
        "-----BEGIN SSH SIGNATURE-----",
        "-----END SSH SIGNATURE-----",
    )
    blob = base64.b64decode("".join(lines[1:-1]))
    assert blob[:10] == b"SSHSIG\x00\x00\x00\x01"
    public, namespace, reserved, algorithm, signature = strings(blob[10:])
    assert (namespace, reserved, algorithm) == (b"git", b"", b"sha512")
    parts = (namespace, reserved, algorithm, hashlib.sha512(payload).digest())
    signed = b"SSHSIG" + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    kind, key = strings(public)
    Ed25519PublicKey.from_public_bytes(key).verify(strings(signature)[1], signed)
    return kind.decode()


def test_a_signature_is_one_of_openssh(tmp_path: Path) -> None:
    signer = open_signer(tmp_path / "key")
    armored = signer(PAYLOAD)
    assert check(armored, PAYLOAD) == "ssh-ed25519"
    with pytest.raises(InvalidSignature):
        check(armored, PAYLOAD + b" ")


def test_the_key_is_made_once_for_this_user_only(tmp_path: Path) -> None:
    first = open_signer(tmp_path / "key")
    assert open_signer(tmp_path / "key").public_line() == first.public_line()
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_openssh_agrees_where_it_is_installed(tmp_path: Path) -> None:
    signer = open_signer(tmp_path / "key")
    (tmp_path / "signers").write_text(signer.allowed_signer() + "\n")
    (tmp_path / "signature").write_bytes(signer(PAYLOAD) + b"\n")
    program = shutil.which("ssh-keygen")
    if program is None:  # the format is checked above
        return
    command = [program, "-Y", "verify", "-f", "signers", "-I", PRINCIPAL, "-n", "git"]
    subprocess.run([*command, "-s", "signature"], cwd=tmp_path, input=PAYLOAD, check=True)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    open_signer(tmp_path / "key")
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(RegistryKeyUnusable, match="other users"):
        open_signer(tmp_path / "key")


def test_what_is_no_ed25519_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").touch(0o600)
    with pytest.raises(RegistryKeyUnusable, match="cannot be read"):
        open_signer(tmp_path / "key")
    rsa = generate_private_key(65537, 2048)
    content = rsa.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(RegistryKeyUnusable, match="no Ed25519 key"):
        open_signer(tmp_path / "key")
