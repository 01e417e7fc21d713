"""TLS contexts for both sides: verified, TLS 1.2 or later, HTTP/1.1 only."""

import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

from typing_extensions import override

_ALPN = ["http/1.1"]
_MAX_SESSIONS = 64


class ResumingContext(ssl.SSLContext):
    """A client context that resumes the last session with a host.

    The event loop makes its TLS objects by ``wrap_bio`` and has no parameter for a session, so it
    is put in here. A session that the server no longer knows costs nothing: it makes a new one.
    """

    _last: dict[str | bytes | None, ssl.SSLObject]

    @override
    def wrap_bio(self, *args: Any, **options: Any) -> ssl.SSLObject:
        """See :meth:`ssl.SSLContext.wrap_bio`."""
        host = options.get("server_hostname")
        last = self._last.pop(host, None)
        if last is not None and options.get("session") is None:
            with suppress(ValueError):  # its handshake failed: there is no session in it
                options["session"] = last.session
        wrapped = super().wrap_bio(*args, **options)
        while len(self._last) >= _MAX_SESSIONS:
            del self._last[next(iter(self._last))]
        self._last[host] = wrapped
        return wrapped


def client_context(
    ca_file: Path | None = None, identity: tuple[Path, Path] | None = None
) -> ssl.SSLContext:
    """Make a context for upstreams that verifies them.

    Args:
        ca_file: PEM file of the authorities to trust instead of the system's.
        identity: PEM files of our certificate chain and of its key (without a pass phrase), for
            upstreams that ask who we are.

    Raises:
        OSError: A file cannot be read or holds no certificate, or the key is another one's.
    """
    context = ResumingContext(ssl.PROTOCOL_TLS_CLIENT)
    context._last = {}
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(_ALPN)
    if ca_file is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(cafile=ca_file)
    if identity is not None:
        context.load_cert_chain(*identity)
    return context


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Make a context for a listener.

    Args:
        certificate: PEM file of the certificate, its intermediates after it.
        key: PEM file of its private key, without a pass phrase.

    Raises:
        OSError: A file cannot be read, or the key is not the certificate's.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(_ALPN)
    context.load_cert_chain(certificate, key)
    return context


def has_said_goodbye(tls: ssl.SSLObject | None) -> bool:
    """Tell whether a peer whose stream has ended said so; without TLS there is no word for it.

    Without that word (``close_notify``) anybody on the way may have cut the stream. An end that was
    announced reads as an end; one that was not, as data still to come.
    """
    if tls is None:
        return True
    try:
        return tls.read(1) == b""
    except ssl.SSLError:
        return False
