"""The official ``openai`` package against the gateway inside a FastAPI application, as documented.

The application is a process under uvicorn; the control process runs beside it or after it.
"""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.support.commands import steadyhand
from tests.support.ports import free_port
from tests.support.programs import Program, eventually, running
from tests.support.workspaces import write

KEY = "sk-mounted-5e7"
HASH = sha256(KEY.encode()).hexdigest()
KEYS = f'[keys.app]\nhash = "sha256:{HASH}"\ntenant = "shop"\nroutes = ["*"]\nmodels = ["near/*"]\n'
ASK: Any = [{"role": "user", "content": "How warm is it in Rome?"}]
HOST = """
from fastapi import FastAPI
from steadyhand.asgi import gateway

llm = gateway("workspace")
app = FastAPI(lifespan=llm.lifespan)
app.mount("/llm", llm)


@app.get("/own")
def own() -> str:
    return "the application's own"
"""


@dataclass(frozen=True)
class Host:
    """An application that mounts the gateway."""

    program: Program
    port: int
    workspace: Path

    def client(self) -> openai.OpenAI:
        """Return a client of the mounted gateway."""
        url = f"http://127.0.0.1:{self.port}/llm/v1"
        return openai.OpenAI(base_url=url, api_key=KEY, max_retries=0, timeout=30)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    workspace = write(tmp_path / "workspace", {"keys.toml": KEYS})
    (tmp_path / "host.py").write_text(HOST, encoding="utf-8")
    arguments = ("host:app", "--port", "0", "--app-dir", ".")
    with running(tmp_path, "host", *arguments, module="uvicorn") as program:
        port = int(program.says(r"running on http://127\.0\.0\.1:(\d+)").group(1))
        yield Host(program, port, workspace)


@contextmanager
def controlled(host: Host) -> Iterator[str]:
    """Run the control process on the workspace; where it listens."""
    port = free_port()
    arguments = ("serve", "control", "--workspace", host.workspace, "--control-port", str(port))
    with running(host.workspace.parent, "control", *arguments):
        yield f"http://127.0.0.1:{port}"


def listed(host: Host, url: str, count: int) -> list[dict[str, Any]]:
    """Return what ``steadyhand requests list`` shows, once it is so many."""

    def look() -> list[dict[str, Any]] | None:
        done = steadyhand(
            *("requests", "list", "--url", url, "--json=outcome,tenant,stream,process"),
            workspace=host.workspace,
        )
        found: list[dict[str, Any]] = json.loads(done.stdout) if done.returncode == 0 else []
        return found if len(found) >= count else None

    return eventually(look, f"{count} records from {url}")


def talk(host: Host) -> None:
    """Ask for a plain answer and for a stream."""
    with host.client() as client:
        plain = client.chat.completions.create(model="ask", messages=ASK)
        said = plain.choices[0].message.content
        assert said
        with client.chat.completions.create(model="ask", messages=ASK, stream=True) as stream:
            chunks = list(stream)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == said


def test_answers_streams_errors_and_records_through_a_mounted_gateway(host: Host) -> None:
    with controlled(host) as url:
        talk(host)
        with host.client() as client:
            assert [model.id for model in client.models.list()] == ["ask"]
            with pytest.raises(openai.NotFoundError):
                client.chat.completions.create(model="nothing", messages=ASK)
            with pytest.raises(openai.AuthenticationError):
                client.with_options(api_key="sk-wrong").chat.completions.create(
                    model="ask", messages=ASK
                )
        rows = listed(host, url, 4)
    assert sorted(row["outcome"] for row in rows) == ["answered"] * 2 + ["rejected"] * 2
    assert {row["process"] for row in rows} == {0}
    assert sum(row["stream"] for row in rows) == 1


def test_records_of_a_killed_application_wait_for_a_control_process(host: Host) -> None:
    talk(host)
    log = host.workspace / ".steadyhand/log"

    def written() -> bool:
        return sum(path.read_bytes().count(b"shop") for path in log.rglob("*.seg")) >= 2

    eventually(written, "a group commit")
    os.kill(host.program.pid, signal.SIGKILL)
    host.program.exit_code()
    with controlled(host) as url:
        assert [row["outcome"] for row in listed(host, url, 2)] == ["answered"] * 2
