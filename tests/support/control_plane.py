"""A real control plane for tests: SQLite in a file, uvicorn on a free port, in a thread."""

import asyncio
import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from steadyhand.control.application import create_app
from steadyhand.control.auth import load_or_create_token
from steadyhand.control.ports import ControlPorts
from steadyhand.control.server import ControlServer
from steadyhand.http.listening import listen
from steadyhand.records.store import RecordStore
from steadyhand.routing.model import Route, RungEntry, SloClass
from steadyhand.snapshot.model import ProviderEntry, Snapshot
from steadyhand.storage.migrations import upgrade
from steadyhand.storage.open import open_database, sqlite_url
from steadyhand.telemetry.status import CostStatus, DeploymentStatus, RungStatus, Status
from steadyhand.tenancy.principals import token_hash
from tests.support.made_records import NOON_US
from tests.support.prompts import prompt_of

LIVE = RungEntry("live", msgspec.Raw(b'{"provider":"openai","model":"gpt-fast"}'))
BACKUP = RungEntry("live", msgspec.Raw(b'{"provider":"backup","model":"gpt-slow"}'))
FLOOR = RungEntry("template", msgspec.Raw(b'{"text":"We will come back to you."}'))

STATUS = Status(
    made_us=NOON_US,
    deployments=(
        DeploymentStatus(
            "backup",
            "gpt-slow",
            state="closed",
            share=0.25,
            reason="drift",
            changed_us=NOON_US,
            whole=CostStatus(973_000, 1_200_000, 1_500_000, 8),
        ),
    ),
    rungs=(RungStatus("support", 1, "live", "backup", "gpt-slow", reason="gave_up"),),
)

SNAPSHOT = Snapshot(
    version=7,
    compiled_us=NOON_US,
    digest="sha256:" + "ab" * 32,
    keys={},
    routes={
        "support": Route("support", "interactive", (LIVE, BACKUP), FLOOR, prompt_of("Be kind.")),
        "labels": Route("labels", "instant", (LIVE,), RungEntry("error", msgspec.Raw(b"{}"))),
    },
    providers={
        "openai": ProviderEntry("openai", msgspec.Raw(b"{}")),
        "backup": ProviderEntry("openai", msgspec.Raw(b"{}")),
        "spare": ProviderEntry("simulated", msgspec.Raw(b"{}")),
    },
    slo_classes={
        "interactive": SloClass("interactive", 1_500, 10_000, 60_000),
        "instant": SloClass("instant", 150, 150, 10_000),
    },
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class RunningControl:
    """A control plane that listens."""

    workspace: Path
    port: int
    token: str
    store: RecordStore

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(
        self,
        path: str,
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "GET",
        body: bytes | None = None,
    ) -> Answer:
        """Ask with exactly these headers; ``Host`` is the true one unless given."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, headers=dict(headers or {}))
            response = connection.getresponse()
            lower = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, lower, response.read())
        finally:
            connection.close()

    def ask(self, path: str) -> Answer:
        """Ask with the token, below ``/api/v1``."""
        return self.get(f"/api/v1{path}", {"authorization": f"Bearer {self.token}"})


@contextmanager
def running_control(workspace: Path, at: int = 0, **ports: Any) -> Iterator[RunningControl]:
    """Serve a control plane over ``workspace`` until the block ends; ``ports`` replace defaults.

    It listens on the port ``at``, or on a free one.
    """
    state = workspace / ".steadyhand"
    token = load_or_create_token(state / "control.token")
    database = open_database(sqlite_url(state / "steadyhand.db"))
    upgrade(database)
    store = RecordStore(database)
    defaults = ControlPorts(
        records=store,
        metrics=lambda: b"# TYPE steadyhand_up gauge\nsteadyhand_up 1\n",
        snapshot=lambda: SNAPSHOT,
        token_hash=token_hash(token),
        clock=lambda: NOON_US / 1e6 + 60,
        statuses=lambda: {0: STATUS},
    )
    listener = listen("127.0.0.1", at)
    port = listener.getsockname()[1]
    server = ControlServer(create_app(replace(defaults, **ports)), listener)
    thread = threading.Thread(target=lambda: asyncio.run(server.run()))
    thread.start()
    try:
        yield RunningControl(workspace, port, token, store)
    finally:
        server.stop()
        thread.join(timeout=15)
        database.close()
        assert not thread.is_alive()
