"""The built image, containers of it, and their clients."""

import json
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from tests.support.dockerfile import Stage, context, stages
from tests.support.ports import free_port
from tests.support.programs import eventually
from tests.support.small_engine import Container, Engine, signal_inside
from tests.support.tree import ROOT, repository_files

DOCKERFILE = ROOT / "deploy" / "docker" / "Dockerfile"
IGNORE = ROOT / ".dockerignore"


@dataclass(frozen=True)
class Image:
    """What was built: the last stage, its root, and a place beside it for volumes and logs."""

    stage: Stage
    root: Path
    place: Path

    def container(self, name: str) -> Container:
        """Return a container with new volumes, which begin as what the image has there."""
        volumes = {}
        declared = self.stage.last("VOLUME")
        for to in declared.words if declared else ():
            volumes[to] = self.place / f"{name}{to.replace('/', '-')}"
            subprocess.run(["cp", "-a", self.root / to.lstrip("/"), volumes[to]], check=True)
        return Container(self.stage, self.root, volumes)


@contextmanager
def built_image() -> Iterator[Image]:
    """Build the image; every user can reach the folder, as the image's user must."""
    with tempfile.TemporaryDirectory(prefix="steadyhand-image-") as name:
        place = Path(name)
        place.chmod(0o755)
        (place / "stages").mkdir()
        files = context(ROOT, IGNORE.read_text(encoding="utf-8"), list(repository_files()))
        steps = stages(DOCKERFILE.read_text(encoding="utf-8"))
        yield Image(steps[-1], Engine(ROOT, files, place / "stages").build(steps), place)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Running:
    """A started container; ``outer`` is the process that holds its namespaces."""

    outer: int
    port: int
    control_port: int
    container: Container

    def get(self, path: str, *, control: bool = False, host: str = "127.0.0.1") -> Answer:
        """Ask the AI API, or the control API, as somebody who knows it as ``host``."""
        return _ask(self.control_port if control else self.port, "GET", path, {"host": host})

    def chat(self, key: str, model: str = "support") -> Answer:
        """Ask a route one question."""
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        body = {"model": model, "messages": [{"role": "user", "content": "Is it you?"}]}
        return _ask(self.port, "POST", "/v1/chat/completions", headers, json.dumps(body))


def _ask(port: int, method: str, path: str, headers: dict[str, str], body: str = "") -> Answer:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        found = {name.lower(): text for name, text in answer.getheaders()}
        return Answer(answer.status, found, answer.read())
    finally:
        connection.close()


@contextmanager
def started(
    container: Container, log: Path, environment: Mapping[str, str], *arguments: str
) -> Iterator[Running]:
    """Start a container on free ports, with ``arguments`` instead of its CMD if there are any."""
    port, control_port = free_port(), free_port()
    ports = {
        "STEADYHAND_SERVER__PORT": str(port),
        "STEADYHAND_SERVER__CONTROL_PORT": str(control_port),
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            container.command(*arguments),
            env=container.environment(**environment, **ports),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    running = Running(process.pid, port, control_port, container)

    def said() -> str:
        return log.read_text(encoding="utf-8", errors="replace")

    def answers() -> bool:
        assert process.poll() is None, said()
        with suppress(OSError):
            return running.get("/healthz").status == 200
        return False

    try:
        eventually(answers, lambda: f"the image to answer: {said()}")
        yield running
        signal_inside(process.pid, signal.SIGTERM)
        assert process.wait(60) == 0, said()
    finally:
        process.kill()
        process.wait(20)
