"""A stand-in for Argo CD's REST API on a real socket, true to how 3.6 answers and refuses.

Its Git is a list of commits that the test moves. It looks at Git by itself each ``poll_s``, or soon
after a refresh; a deployment takes ``reconcile_s``. Time is the test's.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from typing_extensions import override

TOKEN = "argo-token"
NAME = "support"


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


@dataclass
class Argo:
    """The application and what happens to it.

    Attributes:
        clock: Seconds.
        git: Commits, the newest last.
        is_automated: Whether auto-sync is on.
        poll_s: Between two looks at Git.
        reconcile_s: That a comparison and a deployment take, each.
        is_managed: Whether something else switches auto-sync on again.
        is_gone: Whether connections are dropped.
        fails: Status of every answer; 0 for none.
        calls: Method and path of each call.
    """

    clock: Callable[[], float]
    git: list[str] = field(default_factory=lambda: ["good", "bad"])
    is_automated: bool = True
    poll_s: float = 120.0
    reconcile_s: float = 1.0
    is_managed: bool = False
    is_gone: bool = False
    fails: int = 0
    health: str = "Healthy"
    calls: list[str] = field(default_factory=list)
    compared: str = "bad"
    deployed: str = "bad"
    history: list[tuple[int, str]] = field(default_factory=lambda: [(0, "good"), (1, "bad")])
    operation: str = ""
    operation_ends_s: float = 0.0
    operation_phase: str = ""
    _compare_at_s: float = float("inf")
    _polled_s: float = 0.0

    def go_on(self) -> None:
        """Let time pass."""
        now_s = self.clock()
        if now_s - self._polled_s >= self.poll_s:
            self._polled_s = now_s
            self._compare_at_s = min(self._compare_at_s, now_s + self.reconcile_s)
        if now_s >= self._compare_at_s:
            self._compare_at_s = float("inf")
            self.compared = self.git[-1]
        if self.operation and now_s >= self.operation_ends_s:
            self.deployed = self.operation
            self.history.append((self.history[-1][0] + 1, self.deployed))
            self.operation, self.operation_phase = "", "Succeeded"
        wants = self.is_automated and self.compared != self.deployed
        if wants and not self.operation:
            self.begin(self.compared)
        if self.is_managed:
            self.is_automated = True

    def begin(self, revision: str, takes_s: float | None = None) -> None:
        """Begin an operation."""
        self.operation, self.operation_phase = revision, "Running"
        lasts_s = self.reconcile_s if takes_s is None else takes_s
        self.operation_ends_s = self.clock() + lasts_s

    def answer(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Carry a call out."""
        self.go_on()
        parts = urlsplit(path)
        self.calls.append(f"{method} {path}")
        if parts.path.rstrip("/") != f"/api/v1/applications/{NAME}" and not parts.path.startswith(
            f"/api/v1/applications/{NAME}/"
        ):
            raise Refused(404, 5, f'applications.argoproj.io "{parts.path}" not found')
        verb = parts.path.removeprefix(f"/api/v1/applications/{NAME}").strip("/")
        if method == "GET" and not verb:
            if parse_qs(parts.query).get("refresh"):
                self._compare_at_s = min(self._compare_at_s, self.clock() + self.reconcile_s)
            return self.shown()
        return {
            ("POST", "sync"): self._sync,
            ("POST", "rollback"): self._rollback,
            ("DELETE", "operation"): self._terminate,
            ("PATCH", ""): self._patch,
        }[method, verb](body)

    def _sync(self, body: dict[str, Any]) -> dict[str, Any]:
        self._free()
        self.begin(str(body["revision"]))
        self.compared = self.git[-1]
        return self.shown()

    def _rollback(self, body: dict[str, Any]) -> dict[str, Any]:
        if self.is_automated:
            raise Refused(400, 9, "rollback cannot be initiated when auto-sync is enabled")
        self._free()
        found = dict(self.history).get(int(body["id"]))
        if found is None:
            raise Refused(400, 3, f"application {NAME} does not have deployment id {body['id']}")
        self.begin(found)
        return self.shown()

    def _terminate(self, _: dict[str, Any]) -> dict[str, Any]:
        if not self.operation:
            raise Refused(400, 3, "Unable to terminate operation. No operation is in progress")
        self.operation, self.operation_phase = "", "Failed"
        return {}

    def _patch(self, body: dict[str, Any]) -> dict[str, Any]:
        assert body["patchType"] == "merge"
        change = json.loads(body["patch"])["spec"]["syncPolicy"]["automated"]
        self.is_automated = change["enabled"]
        return self.shown()

    def _free(self) -> None:
        if self.operation:
            raise Refused(409, 10, "another operation is already in progress")

    def shown(self) -> dict[str, Any]:
        """Return the application as Argo CD shows it."""
        state: dict[str, Any] = {"phase": self.operation_phase}
        if self.operation:
            state["operation"] = {"sync": {"revision": self.operation}}
        else:
            state["syncResult"] = {"revision": self.deployed}
        is_synced = self.compared == self.deployed
        return {
            "metadata": {"name": NAME},
            "spec": {"syncPolicy": {"automated": {"selfHeal": True, "enabled": self.is_automated}}},
            "status": {
                "sync": {
                    "status": "Synced" if is_synced else "OutOfSync",
                    "revision": self.compared,
                },
                "health": {"status": self.health},
                "operationState": state if self.operation_phase else None,
                "history": [
                    {"id": id_, "revision": revision, "deployedAt": "2026-11-26T00:00:00Z"}
                    for id_, revision in self.history
                ],
            },
        }


@contextmanager
def serving(argo: Argo) -> Iterator[str]:
    """Serve ``argo`` on a port of this machine; yield its address."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            if argo.is_gone:
                self.connection.close()
                return
            status, told = 200, {}
            try:
                if argo.fails:
                    raise Refused(argo.fails, 13, "out of order")
                if self.headers["authorization"] != f"Bearer {TOKEN}":
                    raise Refused(401, 16, "invalid session: signature is invalid")
                with lock:
                    told = argo.answer(self.command, self.path, body)
            except Refused as refused:
                status = refused.status
                told = {"error": str(refused), "code": refused.code, "message": str(refused)}
            content = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = _do  # noqa: N815 - the library's names

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
