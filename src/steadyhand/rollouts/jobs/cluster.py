"""The REST API of a Kubernetes cluster: where it is, who we are, and one call of it.

Inside a pod the address stands in two variables, and the token, the authority and the namespace in
files that the kubelet renews. They are read again for each call, so a rotated one is never missed.
https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/ (read 2026-11)
"""

import http.client
import json
import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from steadyhand import __version__
from steadyhand.core.errors import ConfigurationError
from steadyhand.rollouts.jobs.base import JobRefused, JobsUnavailable

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
MOST_BYTES: Final = 16 << 20

_HINTS: Final[Mapping[int, str]] = {
    401: "its token is not one of this cluster: is it mounted, is it too old?",
    403: "rollouts.jobs.enabled of the chart gives the rights; or a quota of the namespace is full",
    404: "is the namespace right?",
}
_AGAIN: Final = frozenset({408, 409, 425, 429})


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """Where the API is and who calls it.

    Attributes:
        server: ``https://HOST:PORT``.
        namespace: Where jobs are made.
        token: The bearer token; empty if ``token_file`` has it.
        token_file: Read for each call.
        ca_file: Authorities that the server's certificate may come from, read for each call;
            ``None`` for those of the machine.
    """

    server: str
    namespace: str
    token: str = ""
    token_file: Path | None = None
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        """Refuse an address that cannot be called.

        Raises:
            ConfigurationError: It is none, or would send the token of a file in the clear.
        """
        parts = urlsplit(self.server)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigurationError(
                f"the Kubernetes API is at {self.server[:100]!r}", hint="https://HOST:6443"
            )
        if parts.scheme == "http" and self.token_file is not None:
            raise ConfigurationError(
                "the token of a service account would be sent unencrypted", hint="use https"
            )

    def current_token(self) -> str:
        """Return the token that is in force.

        Raises:
            OSError: Its file cannot be read.
            JobRefused: It cannot stand in a header. It is not shown.
        """
        token = self.token
        if self.token_file is not None:
            token = self.token_file.read_text(encoding="utf-8", errors="replace").strip()
        if not (token.isascii() and token.isprintable()) or " " in token:
            raise JobRefused("the token for the Kubernetes API does not look like a token")
        return token


def inside_cluster(environment: Mapping[str, str], folder: Path = SERVICE_ACCOUNT) -> ClusterAccess:
    """Return the access that the pod we run in was given.

    Raises:
        ConfigurationError: We do not run in a pod, or it has no token.
    """
    host = environment.get("KUBERNETES_SERVICE_HOST", "")
    port = environment.get("KUBERNETES_SERVICE_PORT", "443")
    try:
        namespace = (folder / "namespace").read_text(encoding="ascii").strip()
    except OSError as error:
        raise ConfigurationError(
            f"this process has no service account of a cluster: {error}",
            hint="rollouts.jobs.enabled of the chart mounts one; elsewhere use local jobs",
        ) from error
    if not host:
        raise ConfigurationError(
            "KUBERNETES_SERVICE_HOST is not set",
            hint="it is in every pod; elsewhere use local jobs",
        )
    address = f"[{host}]" if ":" in host else host
    return ClusterAccess(
        f"https://{address}:{port}",
        namespace,
        token_file=folder / "token",
        ca_file=folder / "ca.crt",
    )


class Cluster:
    """Calls the API; each call has a connection of its own, since they are few."""

    def __init__(self, access: ClusterAccess, timeout_s: float = 10.0) -> None:
        self._access = access
        self._timeout_s = timeout_s

    @property
    def namespace(self) -> str:
        """Where jobs are made."""
        return self._access.namespace

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        also: Collection[int] = (),
    ) -> tuple[int, Mapping[str, Any]]:
        """Return the status and the object of the answer.

        Args:
            method: Of HTTP.
            path: With the query.
            body: An object to be sent.
            also: Statuses that are an answer to the caller, beside those of success.

        Raises:
            JobsUnavailable: The API cannot be reached, is overloaded or broken.
            JobRefused: It refuses.
        """
        try:
            status, text = self._exchange(method, path, body)
            answer = json.loads(text) if text else {}
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise JobsUnavailable(
                f"the Kubernetes API at {self._access.server} cannot be used: {error}",
                hint="jobs that run go on; does a network policy let us out to it?",
            ) from error
        if not isinstance(answer, dict):
            raise JobsUnavailable(f"{self._access.server} does not answer as Kubernetes does")
        # What is not a Status comes from something in between, and says nothing about a job.
        is_expected = status in also and answer.get("kind") == "Status"
        if 200 <= status < 300 or is_expected:
            return status, answer
        raise _refusal(status, str(answer.get("message", ""))[:500])

    def _exchange(
        self, method: str, path: str, body: Mapping[str, Any] | None
    ) -> tuple[int, bytes]:
        connection = self._connection()
        try:
            sent = None if body is None else json.dumps(body).encode()
            connection.request(method, path, body=sent, headers=self._headers(sent is not None))
            response = connection.getresponse()
            text = response.read(MOST_BYTES + 1)
            if len(text) > MOST_BYTES:
                raise ValueError(f"it answers with more than {MOST_BYTES:,} bytes")
            return response.status, text
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self._access.server)
        host = parts.hostname or ""
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=self._access.ca_file)
            return http.client.HTTPSConnection(
                host, parts.port, timeout=self._timeout_s, context=context
            )
        return http.client.HTTPConnection(host, parts.port, timeout=self._timeout_s)

    def _headers(self, has_body: bool) -> dict[str, str]:  # noqa: FBT001 - private, one caller
        headers = {"accept": "application/json", "user-agent": f"steadyhand/{__version__}"}
        token = self._access.current_token()
        if token:
            headers["authorization"] = f"Bearer {token}"
        if has_body:
            headers["content-type"] = "application/json"
        return headers


def _refusal(status: int, said: str) -> JobsUnavailable | JobRefused:
    if status in _AGAIN or status >= 500:
        return JobsUnavailable(f"the Kubernetes API answers {status}: {said}", hint="call again")
    return JobRefused(
        f"the Kubernetes API answers {status}: {said}",
        hint=_HINTS.get(status, "its message says which field it does not take"),
    )
