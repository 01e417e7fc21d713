"""The control plane's REST API as the command line sees it, over the standard library's client."""

import http.client
import json
import os
import socket
import ssl
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from steadyhand import __version__
from steadyhand.cli.errors import (
    ControlTimedOut,
    ControlUnreachable,
    NotControlPlane,
    NotLoggedIn,
    Refused,
    Usage,
)
from steadyhand.core.event_stream import Sent, read_events

DEFAULT_PORT = 8081
DEFAULT_URL = f"http://127.0.0.1:{DEFAULT_PORT}"
TOKEN_VARIABLE = "STEADYHAND_CONTROL_TOKEN"  # noqa: S105 - the variable's name, not a token
PREFIX = "/api/v1"
MOST_LINE_BYTES = 1 << 20
EVENTS_SILENCE_S = 30.0
"""The stream of events says something each ten seconds, or it is dead."""


def find_token(token_file: Path | None, workspace: Path, environment: Mapping[str, str]) -> str:
    """Return the bearer token: from the named file, the environment, or the workspace's state.

    Raises:
        NotLoggedIn: None of them has one.
    """
    if token_file is None and environment.get(TOKEN_VARIABLE, "").strip():
        return environment[TOKEN_VARIABLE].strip()
    path = token_file or state_dir(workspace) / "control.token"
    try:
        token = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise NotLoggedIn(
            f"no token for the control plane: {path}: {error.strerror}",
            hint=f"name the workspace with --workspace, or set {TOKEN_VARIABLE}",
        ) from error
    if not token:
        raise NotLoggedIn(f"token file {path} is empty", hint="restart steadyhand serve")
    return token


def find_url(workspace: Path) -> str:
    """Return the address at which the workspace says that its control plane listens."""
    server = _server_settings(workspace)
    host = str(server.get("control_host", "127.0.0.1"))
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not bound here
    bracketed = f"[{reached}]" if ":" in reached else reached
    return f"http://{bracketed}:{server.get('control_port', DEFAULT_PORT)}"


def state_dir(workspace: Path) -> Path:
    """Return where the workspace says that its processes keep their state."""
    return workspace / str(_server_settings(workspace).get("state_dir", ".steadyhand"))


def _server_settings(workspace: Path) -> dict[str, object]:
    """Return ``[server]`` as written, nothing if it cannot be read: a hint, not configuration."""
    try:
        with (workspace / "steadyhand.toml").open("rb") as file:
            server = tomllib.load(file).get("server")
    except (OSError, tomllib.TOMLDecodeError):
        server = None
    return server if isinstance(server, dict) else {}


class ControlClient:
    """Asks one control plane; one connection a request, as commands make few."""

    def __init__(self, url: str, token: str, timeout_s: float) -> None:
        """Take the address, without a path, and the bearer token.

        Raises:
            Usage: The address is not an http or https address.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Usage(f"{url!r} is not an address", hint=f"for example --url {DEFAULT_URL}")
        self.url = f"{parts.scheme}://{parts.netloc}"
        self._secure = parts.scheme == "https"
        self._host = parts.hostname
        try:
            self._port = parts.port
        except ValueError as error:
            raise Usage(f"{url!r} has no valid port", hint=f"example: {DEFAULT_URL}") from error
        self._token = token
        self._timeout_s = timeout_s

    def get(self, path: str, **query: str | float | list[str] | None) -> Any:
        """Return the decoded JSON of ``/api/v1`` + ``path``; absent query values are left out.

        Raises:
            ControlUnreachable: No connection, or it broke.
            ControlTimedOut: No answer within the time limit.
            NotControlPlane: The answer is not ours.
            Refused: The control plane answered with an error.
        """
        asked = {name: value for name, value in query.items() if value is not None}
        return self._answer("GET", f"{path}{'?' if asked else ''}{urlencode(asked, doseq=True)}")

    def put(self, path: str, values: Mapping[str, object]) -> Any:
        """Put ``values`` at ``/api/v1`` + ``path``, and return the decoded JSON.

        Raises:
            SteadyhandError: As :meth:`get`.
        """
        return self._answer("PUT", path, json.dumps(values))

    def post(self, path: str, values: Mapping[str, object]) -> Any:
        """Have ``/api/v1`` + ``path`` done with ``values``, and return the decoded JSON.

        Raises:
            SteadyhandError: As :meth:`get`.
        """
        return self._answer("POST", path, json.dumps(values))

    def delete(self, path: str, **query: str | None) -> Any:
        """Delete ``/api/v1`` + ``path``, and return the decoded JSON; as :meth:`get`.

        Raises:
            SteadyhandError: As :meth:`get`.
        """
        asked = {name: value for name, value in query.items() if value is not None}
        return self._answer("DELETE", f"{path}{'?' if asked else ''}{urlencode(asked)}")

    def events(self, kinds: list[str], after: int | None) -> Iterator[Sent]:
        """Yield number, kind and data of what happens, until the connection ends.

        Raises:
            SteadyhandError: As :meth:`get`.
        """
        query = urlencode([("kind", kind) for kind in kinds])
        headers = self._headers() | {"accept": "text/event-stream"}
        if after is not None:
            headers["last-event-id"] = str(after)
        connection = self._connection(max(self._timeout_s, EVENTS_SILENCE_S))
        with self._reaching(connection):
            connection.request("GET", f"{PREFIX}/events?{query}", headers=headers)
            response = connection.getresponse()
            if response.status != http.client.OK:
                self._read(response.status, response.read())
                raise self._foreign(response.status)
            yield from read_events(iter(partial(response.readline, MOST_LINE_BYTES), b""))

    def _answer(self, method: str, path: str, sent: str | None = None) -> Any:
        return self._read(*self._exchange(method, f"{PREFIX}{path}", sent))

    def _read(self, status: int, body: bytes) -> Any:
        try:
            answer = json.loads(body)
        except ValueError as error:
            raise self._foreign(status) from error
        if status == http.client.OK:
            return answer
        try:
            problem = answer["error"]
            refusal = Refused(status, problem["code"], problem["message"], problem["hint"])
        except (KeyError, TypeError) as error:
            raise self._foreign(status) from error
        raise refusal

    def _exchange(self, method: str, target: str, body: str | None) -> tuple[int, bytes]:
        connection = self._connection()
        with self._reaching(connection):
            kind = {"content-type": "application/json"} if body is not None else {}
            connection.request(method, target, body, self._headers() | kind)
            response = connection.getresponse()
            return response.status, response.read()

    @contextmanager
    def _reaching(self, connection: http.client.HTTPConnection) -> Iterator[None]:
        """Say in our words what goes wrong on ``connection``, and close it."""
        try:
            yield
        except TimeoutError as error:
            raise ControlTimedOut(
                f"{self.url} did not answer within {connection.timeout:g} s",
                hint="give it longer with --timeout, or look at its /readyz",
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise ControlUnreachable(
                f"no control plane answers at {self.url}: {_reason(error)}",
                hint="start one with steadyhand serve, or name another with --url",
            ) from error
        finally:
            connection.close()

    def _connection(self, timeout_s: float | None = None) -> http.client.HTTPConnection:
        patience_s = timeout_s or self._timeout_s
        if self._secure:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(
                self._host, self._port, timeout=patience_s, context=context
            )
        return http.client.HTTPConnection(self._host, self._port, timeout=patience_s)

    def _headers(self) -> dict[str, str]:
        return {
            "accept": "application/json",
            "authorization": f"Bearer {self._token}",
            "user-agent": f"steadyhand/{__version__}",
        }

    def _foreign(self, status: int) -> NotControlPlane:
        return NotControlPlane(
            f"what answers at {self.url} (status {status}) is not a Steadyhand control plane",
            hint="the control plane's port is 8081 unless --control-port said otherwise",
        )


def _reason(error: OSError | http.client.HTTPException) -> str:
    if isinstance(error, socket.gaierror):
        return "the name is not known"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    return str(error) or type(error).__name__
