"""Whole installations: a workspace, its upstreams, ``steadyhand serve`` over both, all on sockets.

Clients name what should happen in ``model``: ``up/<behaviour>`` reaches any simulated behaviour,
``canned/<model>`` a script of the test's own. Both end in the floor ``error``. Whoever needs
another ladder or class writes a route.
"""

import http.client
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

from tests.support.canned_upstream import CannedUpstream
from tests.support.programs import Program, eventually, running
from tests.support.raw_client import Answer, Line, request_bytes

KEY = "sk-client-5b0e7c1d9f"
"""May call every route and every provider's model."""

NARROW_KEY = "sk-client-narrow-77aa"
"""May call the route ``answers`` only."""

UPSTREAM_KEY = "sk-upstream-3e9a4c"
ORIGIN = "https://app.example"
MAX_BODY_BYTES = 6 * 1024 * 1024
QUESTION = [{"role": "user", "content": "How do I create an index?"}]
CHAT = "/v1/chat/completions"
FLOOR_TEXT = "No model can be reached; this was prepared."

_markers = count(1)


@dataclass(frozen=True)
class SimulatedUpstream:
    """A ``steadyhand simulate`` process."""

    program: Program
    port: int

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Ask it about itself, or change it."""
        return read_json(self.port, method, path, body)

    def seen(self, marker: str) -> dict[str, Any] | None:
        """Return the latest request that carries ``marker``, if it has come."""
        rows = self.control("GET", "/simulate/requests")["requests"]
        return next((row for row in reversed(rows) if marker in row["body"]), None)


@dataclass(frozen=True)
class Upstreams:
    """What an installation calls; ``dead_port`` refuses every connection."""

    simulated: SimulatedUpstream
    canned: CannedUpstream
    dead_port: int


@dataclass
class Installation:
    """One running installation.

    Attributes:
        root: Its workspace.
        serve: The supervisor's process.
        port: Of the AI API.
        control_port: Of the control API.
    """

    root: Path
    serve: Program
    port: int
    control_port: int
    simulated: SimulatedUpstream
    canned: CannedUpstream

    def line(self) -> Line:
        """Connect to the AI API."""
        return Line(self.port)

    def ask(self, model: str, *, key: str = KEY, **fields: Any) -> Answer:
        """Send one chat request on a connection of its own; return the whole answer."""
        with self.line() as line:
            line.send(chat_request(model, key=key, **fields))
            return line.answer()

    @contextmanager
    def begin(self, model: str, **fields: Any) -> Iterator[tuple[Line, Answer]]:
        """Send one chat request and read the head of its answer; the client leaves at the end."""
        with self.line() as line:
            line.send(chat_request(model, **fields))
            yield line, line.head()

    def upstream(self, marker: str) -> dict[str, Any]:
        """Return the request carrying ``marker`` as the simulated provider got it."""
        return eventually(lambda: self.simulated.seen(marker), f"{marker} upstream")

    def left(self, marker: str) -> None:
        """Wait until the gateway has closed the upstream request that carries ``marker``."""

        def look() -> bool:
            found = self.simulated.seen(marker)
            return found is not None and found["outcome"] == "client left"

        eventually(look, f"{marker} to be cancelled upstream", within_s=30)

    def record(self, request_id: str) -> dict[str, Any]:
        """Return the record of a request, once the control plane has it."""

        def look() -> dict[str, Any] | None:
            status, found = self.rest(f"/requests/{request_id}")
            return found if status == 200 else None

        return eventually(look, f"the record of {request_id}")

    def records(self, **wanted: str) -> list[dict[str, Any]]:
        """Return the newest records that match."""
        query = "&".join(f"{name}={value}" for name, value in {"limit": "500", **wanted}.items())
        status, page = self.rest(f"/requests?{query}")
        assert status == 200, page
        return list(page["items"])

    def rest(self, path: str) -> tuple[int, Any]:
        """Ask the control API."""
        token = (self.root / ".steadyhand/control.token").read_text().strip()
        headers = {"Host": "localhost", "Authorization": f"Bearer {token}"}
        with Line(self.control_port) as line:
            answer = line.ask("GET", f"/api/v1{path}", headers)
        return answer.status, answer.json

    def write(self, name: str, text: str) -> None:
        """Change a file of the workspace and wait until the gateway serves from it."""
        before = self.release()
        (self.root / name).write_text(text, encoding="utf-8")
        eventually(lambda: self.release() != before, f"{name} to be taken over")

    def release(self) -> str:
        """Return the digest of the snapshot that answers now."""
        return self.ask("up/steady").headers["x-steadyhand-release"]

    def stored(self) -> Counter[str]:
        """Return how often each request id stands in the database."""
        path = self.root / ".steadyhand/steadyhand.db"
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)
        try:
            return Counter(row[0] for row in connection.execute("SELECT request_id FROM records"))
        finally:
            connection.close()

    def log_bytes(self) -> int:
        """Return the size of the record log on disk."""
        folder = self.root / ".steadyhand/log"
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

    def gateway_pid(self) -> int:
        """Return the gateway process, once it listens."""
        return eventually(lambda: self.serve.child(listening_on=self.port), "the gateway process")

    def control_pid(self) -> int:
        """Return the control process; it shares its listener with all of the family."""
        return eventually(
            lambda: self.serve.child_beside(listening_on=self.port), "the control process"
        )


def marker() -> str:
    """Return a word that only one request of this session carries."""
    return f"marker-{next(_markers)}-end"


def own(model: str) -> str:
    """Return a name for the same behaviour that no other request calls.

    A gateway remembers what failed and goes around it. What one test broke would be in the way of
    the next, and which is the next differs between runs.
    """
    provider, _, name = model.partition("/")
    behaviour, _, dials = name.partition(":")
    may_fail = provider in ("up", "hurried", "dead") and behaviour not in ("", "steady", "flap")
    if not may_fail or "period_s=" in dials:
        return model
    return f"{provider}/{behaviour}:{dials}{',' if dials else ''}period_s={next(_markers)}"


def chat_body(model: str, **fields: Any) -> bytes:
    """Write a chat request; ``fields`` come after model and messages."""
    return json.dumps({"model": model, "messages": QUESTION, **fields}).encode()


def chat_request(
    model: str,
    *,
    key: str = KEY,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    **fields: Any,
) -> bytes:
    """Write a whole chat request; ``body`` replaces what ``model`` and ``fields`` would make.

    A model that may fail is this request's :func:`own`; what shall fail again and again
    is called by a route.
    """
    given = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    sent = chat_body(own(model), **fields) if body is None else body
    return request_bytes("POST", CHAT, {**given, **(headers or {})}, sent)


def read_json(port: int, method: str, path: str, body: object = None) -> Any:
    """Send JSON to a server on loopback and read its answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        payload = None if body is None else json.dumps(body)
        connection.request(method, path, payload, {"content-type": "application/json"})
        response = connection.getresponse()
        assert response.status == 200, response.read()
        return json.loads(response.read())
    finally:
        connection.close()


def settings_text(upstreams: Upstreams) -> str:
    """Return ``steadyhand.toml``: one gateway process, small windows, patient budgets."""
    simulated, canned = upstreams.simulated.port, upstreams.canned.port
    return f"""
[server]
processes = 1
drain_s = 2
max_body_bytes = {MAX_BODY_BYTES}
cors_origins = ["{ORIGIN}"]

[records]
window_ms = 20
segment_age_s = 0.2

# Whoever lives for minutes would be drilled, and what fails on purpose be called unproven.
[drills]
enabled = false

# The machine of a test may stall for seconds; what a test wants to be late asks for less.
[slo.interactive]
first_content_ms = 20000
whole_ms = 20000
stream_cap_ms = 60000

[slo.capped]
first_content_ms = 3000
whole_ms = 3000
stream_cap_ms = 3000

[providers.up]
kind = "openai"
base_url = "http://127.0.0.1:{simulated}/v1"
api_key = "file:upstream.key"

[providers.hurried]
kind = "openai"
base_url = "http://127.0.0.1:{simulated}/v1"
first_byte_timeout_s = 0.5
idle_timeout_s = 0.5

[providers.canned]
kind = "openai"
base_url = "http://127.0.0.1:{canned}/v1"
api_key = "file:upstream.key"

[providers.dead]
kind = "openai"
base_url = "http://127.0.0.1:{upstreams.dead_port}/v1"
"""


def keys_text() -> str:
    """Return ``keys.toml``."""
    wide = f'hash = "sha256:{sha256(KEY.encode()).hexdigest()}"'
    narrow = f'hash = "sha256:{sha256(NARROW_KEY.encode()).hexdigest()}"'
    return (
        f'[keys.wide]\n{wide}\ntenant = "acme"\nroutes = ["*"]\nmodels = ["*/*"]\n'
        f'[keys.narrow]\n{narrow}\ntenant = "globex"\nroutes = ["answers"]\n'
    )


def route_text(*models: str, slo: str = "interactive", floor: str = "") -> str:
    """Return a route: live rungs ``provider/model`` in order, then a template or ``floor``."""
    rungs = ""
    for name in models:
        provider, _, model = name.partition("/")
        rungs += f'[[rungs]]\nkind = "live"\nprovider = "{provider}"\nmodel = "{model}"\n\n'
    return (
        f'slo = "{slo}"\n\n{rungs}[floor]\n'
        f'{floor or f"""kind = "template"{chr(10)}text = "{FLOOR_TEXT}" """}\n'
    )


@contextmanager
def simulated_upstream(folder: Path) -> Iterator[SimulatedUpstream]:
    """Run ``steadyhand simulate`` on a free port until the block ends."""
    with running(folder, "simulate", "simulate", "--port", "0") as program:
        port = program.says(r"http://127\.0\.0\.1:(\d+) ").group(1)
        yield SimulatedUpstream(program, int(port))


@contextmanager
def serving(
    folder: Path,
    upstreams: Upstreams,
    files: Mapping[str, str] | None = None,
    *,
    module: str = "steadyhand",
    port: int = 0,
) -> Iterator[Installation]:
    """Write a workspace and serve it until the block ends; ``files`` add to it or replace."""
    root = folder / "workspace"
    for name, text in {
        "steadyhand.toml": settings_text(upstreams),
        "keys.toml": keys_text(),
        "upstream.key": UPSTREAM_KEY,
        "routes/answers.toml": route_text("up/steady"),
        **(files or {}),
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (root / "upstream.key").chmod(0o600)
    ports = ("--port", str(port), "--control-port", "0")
    with running(folder, "serve", "serve", "--workspace", root, *ports, module=module) as program:
        control_port = int(program.says(r"control API +http://127\.0\.0\.1:(\d+)").group(1))
        port = int(program.says(r"AI API +http://127\.0\.0\.1:(\d+)").group(1))
        yield Installation(root, program, port, control_port, upstreams.simulated, upstreams.canned)
