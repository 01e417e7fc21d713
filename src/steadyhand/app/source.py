"""Where a gateway on another machine gets its snapshots from: a control plane, over HTTP.

What comes is believed only if it is signed with the key that the settings name, so neither the
network nor a proxy decides what is served.
"""

import base64
import binascii
import http.client
import json
import ssl
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from steadyhand import __version__
from steadyhand.core.errors import ConfigurationError, SteadyhandError
from steadyhand.core.event_stream import read_events

PREFIX: Final = "/api/v1"
SILENCE_S: Final = 30.0
"""A stream that says nothing for so long is dead: it has a heartbeat each ten seconds."""

MOST_BYTES: Final = 256 << 20
MOST_LINE_BYTES: Final = 1 << 16


class SourceUnavailable(SteadyhandError):
    """The control plane that is followed cannot be reached, or does not let us in."""

    code, status, retryable = "source_unavailable", 503, True


class SourceForged(SteadyhandError):
    """What the control plane sent is not signed with the key that is trusted; it is not served."""

    code, status = "source_forged", 502


class Told(NamedTuple):
    """An event of the stream."""

    kind: str
    data: Mapping[str, Any]


class Source:
    """One control plane."""

    def __init__(self, url: str, token: str, public_key: str, timeout_s: float) -> None:
        """Take where it is, who we are, and whose signature counts.

        Raises:
            ConfigurationError: The address or the key cannot be used.
        """
        # cryptography is slow to import, and only who follows needs it.
        from steadyhand.registry.signatures import Signer, key_blob

        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigurationError(f"[follow] url is {url[:100]!r}", hint="https://HOST:8081")
        try:
            self._signers = {key_blob(public_key): Signer("control plane", frozenset())}
        except ValueError as error:
            raise ConfigurationError(
                f"[follow] public_key: {error}", hint="steadyhand registry key prints it there"
            ) from error
        if not (token.isascii() and token.isprintable()) or " " in token:
            raise ConfigurationError("[follow] token does not look like a token")
        self._parts = parts
        self._token = token
        self._timeout_s = timeout_s

    def snapshot(self, held: int) -> bytes | None:
        """Return the snapshot in force, ``None`` if it is the version ``held``.

        Raises:
            SourceUnavailable, SourceForged: As they say.
        """
        answer = self._get("/distribution/snapshot", {"if-none-match": f'"{held}"'})
        if answer is None:
            return None
        self._verify(answer[0], answer[1])
        return answer[0]

    def answers(self, digest: str) -> bytes:
        """Return a compiled collection of curated answers.

        Raises:
            SourceUnavailable, SourceForged: As they say.
        """
        answer = self._get(f"/distribution/answers/{digest}", {})
        if answer is None:
            raise SourceUnavailable("the control plane sent no answers")
        body, signature = answer
        self._verify(b"answers %b\n%b" % (digest.encode(), body), signature)
        return body

    def events(self) -> Iterator[Told]:
        """Yield what happens, for as long as the connection lasts.

        Raises:
            SourceUnavailable: It ended, or said nothing for too long.
        """
        connection = self._connection(SILENCE_S)
        try:
            target = f"{PREFIX}/events?kind=snapshot&kind=lease"
            connection.request("GET", target, headers=self._headers("text/event-stream"))
            response = connection.getresponse()
            if response.status != http.client.OK:
                raise self._refused(response.status)
            yield Told("connected", {})
            for event in read_events(iter(partial(response.readline, MOST_LINE_BYTES), b"")):
                yield Told(event.kind, json.loads(event.data))
            raise SourceUnavailable("the control plane ended the stream")
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise SourceUnavailable(f"the control plane cannot be followed: {error}") from error
        finally:
            connection.close()

    def _get(self, path: str, headers: Mapping[str, str]) -> tuple[bytes, str] | None:
        connection = self._connection(self._timeout_s)
        try:
            sent = {**self._headers("*/*"), **headers}
            connection.request("GET", f"{PREFIX}{path}", headers=sent)
            response = connection.getresponse()
            if response.status == http.client.NOT_MODIFIED:
                return None
            body = response.read(MOST_BYTES + 1)
            if response.status != http.client.OK:
                raise self._refused(response.status)
            if len(body) > MOST_BYTES:
                raise SourceUnavailable(f"the control plane sent more than {MOST_BYTES:,} bytes")
            return body, response.headers.get("x-steadyhand-signature", "")
        except (OSError, http.client.HTTPException) as error:
            raise SourceUnavailable(f"the control plane cannot be reached: {error}") from error
        finally:
            connection.close()

    def _verify(self, body: bytes, signature: str) -> None:
        from steadyhand.registry.signatures import SignatureRefused, signer_of
        from steadyhand.registry.signing import SNAPSHOTS

        try:
            armored = base64.b64decode(signature, validate=True)
            signer_of(body, armored, self._signers, SNAPSHOTS)
        except (binascii.Error, SignatureRefused) as error:
            raise SourceForged(
                f"what {self._parts.netloc} sent is not signed with the key that is trusted",
                hint="[follow] public_key is what steadyhand registry key prints there",
            ) from error

    def _connection(self, timeout_s: float) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=timeout_s, context=context)
        return http.client.HTTPConnection(host, port, timeout=timeout_s)

    def _headers(self, accept: str) -> dict[str, str]:
        return {
            "accept": accept,
            "authorization": f"Bearer {self._token}",
            "user-agent": f"steadyhand/{__version__}",
        }

    def _refused(self, status: int) -> SourceUnavailable:
        hints = {
            401: "its token is not one of a principal there",
            403: "its principal has not the role gateway there",
            421: "[control] allowed_hosts there has not this name",
        }
        return SourceUnavailable(
            f"the control plane answers {status}", hint=hints.get(status, "look at its log")
        )
