"""Certificates made for a test, as the files that settings name."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Pem:
    """Files of a certificate and its key."""

    certificate: Path
    key: Path


class Authority:
    """An authority with its file, and what it issues."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._ca = trustme.CA()
        self._folder = folder
        self.file = folder / f"{name}.pem"
        self._ca.cert_pem.write_to_path(self.file)

    def issue(self, name: str) -> Pem:
        """Issue a certificate for ``name``."""
        made = self._ca.issue_cert(name)
        stem = name.replace("@", "-at-")
        pem = Pem(self._folder / f"{stem}.cert.pem", self._folder / f"{stem}.key.pem")
        pem.certificate.write_bytes(b"".join(part.bytes() for part in made.cert_chain_pems))
        made.private_key_pem.write_to_path(pem.key)
        return pem

    def server(self, name: str = "localhost", *, asks: bool = False) -> ssl.SSLContext:
        """Return a server's context; ``asks`` for the client's certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        pem = self.issue(name)
        context.load_cert_chain(pem.certificate, pem.key)
        if asks:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.file)
        return context
