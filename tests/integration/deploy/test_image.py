"""The image that the Dockerfile describes: built step by step, started as it says, asked, stopped.

No container engine takes part: ``tests/support/small_engine.py`` does what the steps say in
namespaces of the kernel. What it cannot show is the base image itself.
"""

import json
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.support.dockerfile import context, stages
from tests.support.programs import children, eventually
from tests.support.small_engine import IS_ROOT, Container, Engine, may_run, signal_inside
from tests.support.tree import ROOT, repository_files

DOCKERFILE = (ROOT / "deploy" / "docker" / "Dockerfile").read_text(encoding="utf-8")
IGNORE = (ROOT / ".dockerignore").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Running:
    """A started container."""

    outer: int
    port: int
    control_port: int
    container: Container

    def get(self, path: str, port: int | None = None) -> tuple[int, bytes]:
        """Ask the AI API, or the control API by its port."""
        connection = HTTPConnection("127.0.0.1", port or self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def chat(self, key: str) -> tuple[int, dict[str, Any]]:
        """Ask the demo's route one question."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        body = {"model": "support", "messages": [{"role": "user", "content": "Is it you?"}]}
        try:
            connection.request(
                "POST",
                "/v1/chat/completions",
                json.dumps(body),
                {"authorization": f"Bearer {key}", "content-type": "application/json"},
            )
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def container() -> Iterator[Container]:
    """The built image with its two volumes, the demo in one of them."""
    if not may_run():
        pytest.skip("neither root nor a kernel that lets users make namespaces")
    with tempfile.TemporaryDirectory(prefix="steadyhand-image-") as name:
        place = Path(name)
        place.chmod(0o755)
        (place / "stages").mkdir()
        files = context(ROOT, IGNORE, list(repository_files()))
        built = stages(DOCKERFILE)
        root = Engine(ROOT, files, place / "stages").build(built)
        volumes = {}
        for number, to in enumerate(built[-1].last("VOLUME").words):  # type: ignore[union-attr]
            # As an engine does: a new volume begins as what the image has there.
            volumes[to] = place / f"volume-{number}"
            subprocess.run(["cp", "-a", root / to.lstrip("/"), volumes[to]], check=True)
        made = Container(built[-1], root, volumes)
        initialised = made.run("init", "/workspace")
        assert initialised.returncode == 0, initialised.stdout + initialised.stderr
        yield made


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@contextmanager
def started(container: Container, log: Path) -> Iterator[Running]:
    """Start the image by its CMD; ports are the only thing that is ours."""
    port, control_port = free_port(), free_port()
    with log.open("wb") as out:
        process = subprocess.Popen(
            container.command(),
            env=container.environment(
                STEADYHAND_SERVER__PORT=str(port),
                STEADYHAND_SERVER__CONTROL_PORT=str(control_port),
                STEADYHAND_SERVER__PROCESSES="1",
            ),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    running = Running(process.pid, port, control_port, container)

    def answers() -> bool:
        assert process.poll() is None, log.read_text(encoding="utf-8")
        with suppress(OSError):
            return running.get("/healthz")[0] == 200
        return False

    try:
        eventually(answers, lambda: f"the image to answer: {log.read_text(encoding='utf-8')}")
        yield running
        signal_inside(process.pid, signal.SIGTERM)
        assert process.wait(60) == 0, log.read_text(encoding="utf-8")
    finally:
        process.kill()
        process.wait(20)


@pytest.fixture(scope="module")
def running(container: Container, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with started(container, tmp_path_factory.mktemp("image") / "log") as made:
        yield made


def test_it_answers_a_chat_as_its_user(running: Running) -> None:
    key_file = running.container.volumes["/workspace"] / ".steadyhand" / "demo.key"
    if not key_file.exists():
        key_file = running.container.volumes["/var/lib/steadyhand"] / "demo.key"
    status, answer = running.chat(key_file.read_text().strip())
    assert status == 200, answer
    supervisor = children(running.outer)
    status_of = Path(f"/proc/{supervisor[0]}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status_of.splitlines() if ":\t" in line)
    assert fields["NSpid"].split()[-1] == "1", "the supervisor is PID 1"
    if IS_ROOT:
        assert fields["Uid"].split() == ["10001"] * 4
        assert int(fields["CapEff"], 16) == 0


def test_what_dies_without_a_parent_is_collected(running: Running) -> None:
    """As PID 1 it inherits what a dead gateway leaves; uncollected, they would fill the table."""
    (supervisor,) = children(running.outer)
    enter = ["nsenter", "--target", str(supervisor), "--pid"]
    as_user = [] if IS_ROOT else ["--user", "--preserve-credentials"]
    orphan = 'sleep 0.5 >/dev/null 2>&1 & sh -c "exit 0"'
    subprocess.run([*enter, *as_user, "sh", "-c", orphan], check=True, timeout=30)
    eventually(lambda: "sleep" in below(supervisor).values(), "the orphan to be inherited")
    eventually(lambda: "sleep" not in below(supervisor).values(), "the orphan to be collected")


def below(parent: int) -> dict[int, str]:
    """Return the names of all children of ``parent``, those that have ended included."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            head, _, rest = entry.read_text().rpartition(")")
            if int(rest.split()[1]) == parent:
                found[int(entry.parent.name)] = head.partition("(")[2]
    return found


def test_its_health_check_tells_alive_from_dead(running: Running) -> None:
    check = running.container.stage.last("HEALTHCHECK")
    assert check is not None
    command = json.loads(check.text.partition("CMD ")[2])
    inside = running.container.plain(*command)
    alive = running.container.finished(inside, STEADYHAND_SERVER__PORT=str(running.port))
    assert alive.returncode == 0, alive.stderr
    dead = running.container.finished(inside, STEADYHAND_SERVER__PORT=str(free_port()))
    assert dead.returncode == 1, dead.stderr


def test_metrics_and_readiness_answer(running: Running) -> None:
    def ready() -> bool:
        return running.get("/readyz", running.control_port)[0] == 200

    eventually(ready, "control to be ready")
    assert running.get("/readyz")[0] == 200
    status, metrics = running.get("/metrics", running.control_port)
    assert status == 200
    assert b"steadyhand_gateway_up" in metrics


def test_it_writes_into_its_volumes_only(running: Running) -> None:
    """The root is mounted read-only; what the image's user may write to besides is a volume."""
    tried = running.container.finished(
        running.container.plain("sh", "-c", "touch /opt/steadyhand/x || touch /y || touch /tmp/z")
    )
    assert tried.returncode != 0
    assert "Read-only file system" in tried.stderr
    state = running.container.volumes["/var/lib/steadyhand"]
    assert (state / "snapshot" / "current.snapshot").exists()
    assert sorted(path.name for path in running.container.root.glob("*.db")) == []
