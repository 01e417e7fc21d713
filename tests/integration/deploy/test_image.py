"""The image that the Dockerfile describes: built step by step, started as it says, asked, stopped.

No container engine takes part: ``tests/support/small_engine.py`` does what the steps say in
namespaces of the kernel. What it cannot show is the base image itself.
"""

import json
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.containers import Image, Running, started
from tests.support.ports import free_port
from tests.support.programs import children, eventually
from tests.support.small_engine import IS_ROOT


@pytest.fixture(scope="module")
def running(image: Image) -> Iterator[Running]:
    """The image with a demo in its workspace, started by its CMD."""
    container = image.container("plain")
    made = container.run("init", "/workspace")
    assert made.returncode == 0, made.stdout + made.stderr
    environment = {"STEADYHAND_SERVER__PROCESSES": "1"}
    with started(container, image.place / "plain.log", environment) as it:
        yield it


def test_it_answers_a_chat_as_its_user(running: Running) -> None:
    key_file = running.container.volumes["/workspace"] / ".steadyhand" / "demo.key"
    if not key_file.exists():
        key_file = running.container.volumes["/var/lib/steadyhand"] / "demo.key"
    answer = running.chat(key_file.read_text().strip())
    assert answer.status == 200, answer.body
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
        return running.get("/readyz", control=True).status == 200

    eventually(ready, "control to be ready")
    assert running.get("/readyz").status == 200
    metrics = running.get("/metrics", control=True)
    assert metrics.status == 200
    assert b"steadyhand_gateway_up" in metrics.body


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
