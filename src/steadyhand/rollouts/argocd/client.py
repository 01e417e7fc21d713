"""The six calls to Argo CD's REST API that a roll-back needs. Blocks; one connection a call.

Refusals come as gRPC codes in JSON: 9 is FailedPrecondition, 10 Aborted. Fails as
:class:`ArgoUnreachable` (ask again) or :class:`ArgoRefused` (named).
"""

import http.client
import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from steadyhand import __version__
from steadyhand.core.errors import ConfigurationError, SteadyhandError
from steadyhand.rollouts.argocd.steps import Application, Deployed

FAILED_PRECONDITION: Final = 9
ABORTED: Final = 10
MOST_BYTES: Final = 16 << 20


class ArgoUnreachable(SteadyhandError):
    """Argo CD does not answer, or not sensibly; the next look asks again."""

    code, status, retryable = "argocd_unreachable", 503, True


class ArgoRefused(SteadyhandError):
    """Argo CD says no.

    Attributes:
        reason: ``forbidden``, ``missing``, ``precondition``, ``in_progress`` or ``refused``.
    """

    code, status = "argocd_refused", 409

    def __init__(self, reason: str, message: str, hint: str = "") -> None:
        """Take why, by name and in words."""
        super().__init__(message, hint=hint)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Address:
    """Which application, where.

    Attributes:
        server: ``https://HOST[:PORT]``.
        application: Name.
        namespace: Of the application; empty for Argo CD's own.
        project: Of the application; empty for whichever.
        ca_file: Certificates to trust; empty for those of the machine.
        timeout_s: For each call.
    """

    server: str
    application: str
    namespace: str = ""
    project: str = ""
    ca_file: str = ""
    timeout_s: float = 3.0


class _Operation(msgspec.Struct):
    class _Result(msgspec.Struct):
        revision: str = ""

    class _Asked(msgspec.Struct):
        class _Sync(msgspec.Struct):
            revision: str = ""

        sync: _Sync | None = None

    phase: str = ""
    syncResult: _Result | None = None  # noqa: N815 - Argo's names
    operation: _Asked | None = None


class _Told(msgspec.Struct):
    class _Status(msgspec.Struct):
        class _Sync(msgspec.Struct):
            status: str = ""
            revision: str = ""

        class _Health(msgspec.Struct):
            status: str = ""

        class _Entry(msgspec.Struct):
            id: int = 0
            revision: str = ""

        sync: _Sync = msgspec.field(default_factory=_Sync)
        health: _Health = msgspec.field(default_factory=_Health)
        operationState: _Operation | None = None  # noqa: N815 - as above
        history: list[_Entry] = []

    class _Spec(msgspec.Struct):
        class _Policy(msgspec.Struct):
            class _Automated(msgspec.Struct):
                enabled: bool | None = None

            automated: _Automated | None = None

        syncPolicy: _Policy | None = None  # noqa: N815 - as above

    status: _Status = msgspec.field(default_factory=_Status)
    spec: _Spec = msgspec.field(default_factory=_Spec)


class ArgoCd:
    """One application of one Argo CD."""

    def __init__(self, address: Address, token: Callable[[], str]) -> None:
        """Take where it is, and what returns the bearer token.

        Raises:
            ConfigurationError: The server is no http or https address.
        """
        parts = urlsplit(address.server)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigurationError(
                f"[rollouts] argocd_server is {address.server[:100]!r}",
                hint="https://argocd.example",
            )
        self._address = address
        self._token = token
        self._is_secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._path = f"{parts.path.rstrip('/')}/api/v1/applications/{quote(address.application)}"

    def look(self, *, refresh: bool = False) -> Application:
        """Return the application; with ``refresh`` it is compared with Git anew, soon."""
        query = {"refresh": "normal"} if refresh else {}
        told = self._call("GET", "", query=query)
        try:
            return _application(msgspec.convert(told, _Told))
        except msgspec.ValidationError as error:
            raise ArgoUnreachable(f"Argo CD says something else: {error}") from error

    def sync(self, revision: str) -> None:
        """Deploy a commit."""
        self._call("POST", "/sync", {**self._names(), "revision": revision, "prune": False})

    def terminate(self) -> None:
        """End the operation that is under way."""
        self._call("DELETE", "/operation")

    def automate(self, *, enabled: bool) -> None:
        """Switch auto-sync on or off; its other settings stay."""
        patch = {"spec": {"syncPolicy": {"automated": {"enabled": enabled}}}}
        body = {**self._names(), "patch": json.dumps(patch), "patchType": "merge"}
        self._call("PATCH", "", body)

    def rollback(self, id_: int) -> None:
        """Deploy what was deployed before, past Git."""
        self._call("POST", "/rollback", {**self._names(), "id": id_, "prune": False})

    def _names(self) -> dict[str, str]:
        found = {
            "name": self._address.application,
            "appNamespace": self._address.namespace,
            "project": self._address.project,
        }
        return {key: value for key, value in found.items() if value}

    def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Any:
        asked = {key: value for key, value in self._names().items() if key != "name"}
        asked |= query or {}
        target = f"{self._path}{path}" + (f"?{urlencode(asked)}" if asked else "")
        connection = self._connection()
        headers = {
            "authorization": f"Bearer {self._token()}",
            "content-type": "application/json",
            "user-agent": f"steadyhand/{__version__}",
        }
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, target, sent, headers)
            response = connection.getresponse()
            text = response.read(MOST_BYTES + 1)
        except (OSError, http.client.HTTPException) as error:
            raise ArgoUnreachable(
                f"Argo CD cannot be reached: {error}", hint="[rollouts] argocd_server"
            ) from error
        finally:
            connection.close()
        return _answer(response.status, text)

    def _connection(self) -> http.client.HTTPConnection:
        timeout_s = self._address.timeout_s
        if not self._is_secure:
            return http.client.HTTPConnection(self._host, self._port, timeout=timeout_s)
        context = ssl.create_default_context(cafile=self._address.ca_file or None)
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=timeout_s, context=context
        )


def _answer(status: int, text: bytes) -> Any:
    """Return the JSON of an answer.

    Raises:
        ArgoRefused, ArgoUnreachable: As they say.
    """
    try:
        told = json.loads(text or b"{}")
    except ValueError:
        told = {}
    if status == http.client.OK and len(text) <= MOST_BYTES:
        return told
    message = str(told.get("message") or told.get("error") or text[:200].decode("utf-8", "replace"))
    code = told.get("code") if isinstance(told, dict) else None
    if status in {401, 403}:
        raise ArgoRefused(
            "forbidden",
            f"Argo CD does not let us: {message}",
            "its token needs get, sync, update and action/* on the application",
        )
    if status == 404:
        raise ArgoRefused("missing", f"Argo CD has no such application: {message}")
    if code == FAILED_PRECONDITION and "operation" not in message:
        raise ArgoRefused("precondition", f"Argo CD refuses: {message}")
    if status == 409 or code in {FAILED_PRECONDITION, ABORTED}:
        raise ArgoRefused("in_progress", f"Argo CD is busy: {message}")
    if 400 <= status < 500:
        raise ArgoRefused("refused", f"Argo CD refuses: {message}")
    raise ArgoUnreachable(f"Argo CD answers {status}: {message}")


def _application(told: _Told) -> Application:
    status, policy = told.status, told.spec.syncPolicy
    state = status.operationState
    revision = ""
    if state is not None:
        asked = state.operation.sync if state.operation is not None else None
        revision = (state.syncResult.revision if state.syncResult is not None else "") or (
            asked.revision if asked is not None else ""
        )
    automated = policy.automated if policy is not None else None
    return Application(
        status.sync.status,
        status.sync.revision,
        status.health.status,
        state.phase if state is not None else "",
        revision,
        tuple(Deployed(one.id, one.revision) for one in status.history),
        automated is not None and automated.enabled is not False,
    )
