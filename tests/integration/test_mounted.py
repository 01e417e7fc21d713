"""The gateway inside another application: started by its lifespan, changed under way, stopped."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.routing import Mount

from steadyhand.app.control import open_state_database
from steadyhand.app.exclusion import StateInUse, claim_for_mounted, claim_for_serve
from steadyhand.app.mounted import MountedGateway
from steadyhand.app.state import State
from steadyhand.asgi import create, gateway
from steadyhand.core.errors import ConfigurationError
from steadyhand.records.clock import wall_clock_us
from steadyhand.records.shipper import Shipper
from steadyhand.records.store import RecordStore
from steadyhand.settings.load import load
from steadyhand.settings.problems import InvalidWorkspace
from steadyhand.telemetry.status import read_statuses
from tests.support.commands import steadyhand
from tests.support.programs import eventually
from tests.support.server_ports import under_uvicorn
from tests.support.workspaces import write

TOKEN = "sk-mounted-1c9"
HASH = sha256(TOKEN.encode()).hexdigest()
KEYS = f'[keys.app]\nhash = "sha256:{HASH}"\ntenant = "shop"\nroutes = ["*"]\nmodels = ["near/*"]\n'
ASK: dict[str, Any] = {"model": "ask", "messages": [{"role": "user", "content": "Hello?"}]}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return write(tmp_path / "workspace", {"keys.toml": KEYS})


@asynccontextmanager
async def mounted(
    made: MountedGateway, *, starts: bool = True, middleware: list[Middleware] | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """Serve a Starlette application that mounts ``made``; a client of it."""
    application = Starlette(
        routes=[Mount("/llm", made)],
        lifespan=made.lifespan if starts else None,
        middleware=middleware,
    )
    async with under_uvicorn(application, lives=True) as port, client(port, "/llm") as found:
        yield found


def client(port: int, prefix: str = "") -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {TOKEN}"}
    url = f"http://127.0.0.1:{port}{prefix}/v1"
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=30, trust_env=False)


async def ask(to: httpx.AsyncClient, **fields: Any) -> httpx.Response:
    return await to.post("/chat/completions", json={**ASK, **fields})


async def stored(workspace: Path) -> list[str]:
    """Ship what the log holds, as the control process does; the outcomes in the database."""

    def ship() -> list[str]:
        settings = load(workspace, {}, {})
        database = open_state_database(settings)
        while Shipper(State(settings).log, RecordStore(database)).ship_once():
            pass
        database.close()
        with sqlite3.connect(State(settings).database) as connection:
            rows = connection.execute("SELECT outcome FROM records ORDER BY received_us").fetchall()
        connection.close()
        return [row[0] for row in rows]

    return await asyncio.to_thread(ship)


async def test_it_answers_below_its_mount_and_its_records_outlive_it(workspace: Path) -> None:
    async with mounted(gateway(workspace)) as found:
        plain = await ask(found)
        assert plain.json()["choices"][0]["finish_reason"] == "stop"
        streamed = await ask(found, stream=True)
        assert streamed.text.endswith("data: [DONE]\n\n")
        assert [model["id"] for model in (await found.get("/models")).json()["data"]] == ["ask"]
        assert (await found.get("/nothing")).status_code == 404
    assert await stored(workspace) == ["answered", "answered"]


async def test_a_stream_that_the_stop_of_the_server_cuts_has_its_record(workspace: Path) -> None:
    begun = asyncio.Event()

    async def read(like: httpx.AsyncClient) -> None:
        body = {**ASK, "model": "near/endless", "stream": True}
        async with (  # a client of its own, which does not leave before the server stops
            httpx.AsyncClient(base_url=like.base_url, headers=like.headers, trust_env=False) as to,
            to.stream("POST", "/chat/completions", json=body) as answer,
        ):
            async for _ in answer.aiter_bytes():
                begun.set()

    async with mounted(gateway(workspace)) as found:
        reading = asyncio.create_task(read(found))
        async with asyncio.timeout(30):
            await begun.wait()
    with pytest.raises(httpx.HTTPError):
        await reading
    assert await stored(workspace) == ["client_gone"]


async def test_strict_durability_holds_where_it_is_mounted(workspace: Path) -> None:
    text = (workspace / "steadyhand.toml").read_text(encoding="utf-8")
    strict = text + '[records]\ndurability = "strict"\n'
    (workspace / "steadyhand.toml").write_text(strict, encoding="utf-8")
    log = workspace / ".steadyhand/log"
    async with mounted(gateway(workspace)) as found:
        for stream in (False, True):
            assert (await ask(found, stream=stream)).status_code == 200
            on_disk = sum(path.read_bytes().count(b"shop") for path in log.rglob("*.seg"))
            assert on_disk >= stream + 1  # before the answer has ended, not a window later
    assert (await stored(workspace)).count("answered") == 2


async def test_streams_pass_a_middleware_of_the_application(workspace: Path) -> None:
    async def through(request: Any, call_next: Any) -> Any:
        return await call_next(request)

    middleware = [Middleware(BaseHTTPMiddleware, dispatch=through)]
    async with mounted(gateway(workspace), middleware=middleware) as found:
        assert (await ask(found)).status_code == 200
        whole = await ask(found, stream=True)
        assert whole.text.endswith("data: [DONE]\n\n")


async def test_an_application_that_does_not_start_it_is_told_how(workspace: Path) -> None:
    async with mounted(gateway(workspace), starts=False) as found:
        answer = await ask(found)
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "gateway_not_running"
        assert "lifespan=gateway.lifespan" in answer.json()["error"]["message"]


async def test_a_server_that_runs_it_alone_starts_and_stops_it(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEADYHAND_WORKSPACE", str(workspace))
    async with under_uvicorn(create(), lives=True) as port, client(port) as found:
        assert (await ask(found)).status_code == 200
        refused = await found.get("/models", headers={"authorization": ""})
        assert refused.status_code == 401
    claim_for_serve(State(load(workspace, {}, {}))).release()  # nothing holds it any more


def test_without_a_workspace_the_factory_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STEADYHAND_WORKSPACE", raising=False)
    with pytest.raises(ConfigurationError, match="STEADYHAND_WORKSPACE is not set"):
        create()


async def test_a_wrong_workspace_stops_the_start_and_holds_nothing(workspace: Path) -> None:
    write(workspace, {"keys.toml": KEYS, "routes/ask.toml": "slo = 1\n"})
    made = gateway(workspace)
    with pytest.raises(InvalidWorkspace):
        async with made.running():
            pass
    sent = await lifespan_messages(made)
    assert sent[0]["type"] == "lifespan.startup.failed"


async def lifespan_messages(made: MountedGateway) -> list[Mapping[str, Any]]:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "lifespan.startup"}

    async def send(message: Any) -> None:
        sent.append(message)

    with pytest.raises(InvalidWorkspace):
        await made({"type": "lifespan"}, receive, send)
    return sent


async def test_a_web_socket_is_refused(workspace: Path) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await gateway(workspace)({"type": "websocket"}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1000}]


def both_say_how_they_are(workspace: Path) -> bool:
    return sorted(read_statuses(workspace / ".steadyhand/run", wall_clock_us())) == [0, 1]


async def test_changes_are_taken_over_by_every_worker(workspace: Path) -> None:
    async with mounted(gateway(workspace)) as first, mounted(gateway(workspace)) as second:
        assert (await ask(first)).status_code == (await ask(second)).status_code == 200
        text = (workspace / "routes/ask.toml").read_text(encoding="utf-8")
        (workspace / "routes/ask.toml").write_text("nonsense\n", encoding="utf-8")
        await asyncio.sleep(1.2)
        assert (await ask(first)).status_code == 200  # the last good state stays in force
        (workspace / "routes/ask.toml").unlink()
        (workspace / "keys.toml").write_text(KEYS.replace('"*"', '"new"'), encoding="utf-8")
        (workspace / "routes/new.toml").write_text(text, encoding="utf-8")
        async with asyncio.timeout(30):
            for worker in (first, second):
                while (await ask(worker, model="new")).status_code != 200:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
                assert (await ask(worker)).status_code == 404
        boards = {path.name for path in (workspace / ".steadyhand/run").glob("*.board")}
        assert boards == {"gateway-0.board", "gateway-1.board"}
        await asyncio.to_thread(
            eventually, lambda: both_say_how_they_are(workspace), "both status files"
        )
    outcomes = await stored(workspace)
    assert outcomes.count("answered") >= 5


async def test_serve_and_a_mounted_gateway_refuse_each_other(workspace: Path) -> None:
    state = State(load(workspace, {}, {}))
    state.prepare()
    async with gateway(workspace).running():
        claim_for_mounted(state).release()  # another worker may
        refused = await asyncio.to_thread(steadyhand, "serve", workspace=workspace)
        assert refused.returncode == 1
        assert "state_in_use" in refused.stderr
        assert "a gateway mounted in another application serves from" in refused.stderr
    held = claim_for_serve(state)
    with pytest.raises(StateInUse, match="steadyhand serve runs on"):
        async with gateway(workspace).running():
            pass
    held.release()
    async with gateway(workspace).running():
        pass
