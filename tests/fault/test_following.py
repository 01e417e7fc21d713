"""Gateways that follow a control plane elsewhere: what they serve, and without it."""

import http.client
import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from steadyhand.cli.main import run
from steadyhand.registry.signing import open_signer
from steadyhand.settings.principals import create_principal
from steadyhand.settings.scaffold import write_workspace
from tests.support.ports import free_port
from tests.support.programs import Program, children, eventually, is_running, running

QUESTION = {"model": "support", "messages": [{"role": "user", "content": "What does VACUUM do?"}]}


class Leader:
    """A served demo whose control plane is followed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        write_workspace(root)
        self.control_port = free_port()
        self.token = create_principal(root, "edge", ["gateway"])
        self.key = (root / ".steadyhand" / "demo.key").read_text().strip()
        self.signer = open_signer(root / ".steadyhand" / "registry_ed25519")

    @contextmanager
    def served(self, folder: Path) -> Iterator[Program]:
        """Serve it."""
        ports = ("--port", "0", "--control-port", str(self.control_port))
        with running(folder, "leader", "serve", "--workspace", self.root, *ports) as program:
            program.says(r"AI API +http://127\.0\.0\.1:(\d+)")
            yield program


class Edge:
    """A workspace that follows it."""

    def __init__(self, root: Path, leader: Leader, **more: Any) -> None:
        self.root = root
        self.key = leader.key
        root.mkdir()
        (root / "leader.token").write_text(leader.token)
        (root / "wrong.token").write_text("shp_wrong")
        told = {
            "url": f"http://127.0.0.1:{leader.control_port}",
            "token": "file:leader.token",
            "public_key": leader.signer.public_line(),
            **more,
        }
        lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in told.items())
        (root / "steadyhand.toml").write_text(f"[server]\nprocesses = 1\n\n[follow]\n{lines}\n")
        self.port = 0

    @contextmanager
    def served(self, folder: Path, name: str = "edge") -> Iterator[Program]:
        """Serve it."""
        ports = ("--port", "0", "--control-port", "0")
        with running(folder, name, "serve", "--workspace", self.root, *ports) as program:
            self.port = int(program.says(r"AI API +http://127\.0\.0\.1:(\d+)").group(1))
            yield program

    def ask(self) -> dict[str, str]:
        """Ask; return the answer's own headers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
            connection.request("POST", "/v1/chat/completions", json.dumps(QUESTION), headers)
            response = connection.getresponse()
            response.read()
            own = {k.lower(): v for k, v in response.getheaders() if k.lower().startswith("x-stea")}
            return {"status": str(response.status), **own}
        finally:
            connection.close()

    def serves(self, rung: str) -> None:
        """Wait until an answer comes from ``rung``."""
        eventually(lambda: self.ask().get("x-steadyhand-rung") == rung, f"the rung {rung}")


@pytest.fixture
def leader(tmp_path: Path) -> Leader:
    """Return a leader that is not served yet."""
    return Leader(tmp_path / "demo")


def test_what_is_changed_there_is_served_here_and_goes_on_without_it(
    leader: Leader, tmp_path: Path
) -> None:
    edge = Edge(tmp_path / "edge", leader)
    with leader.served(tmp_path), edge.served(tmp_path):
        edge.serves("live")
        before = edge.ask()["x-steadyhand-release"]
        prompt = leader.root / "prompts" / "support.md"
        prompt.write_text(prompt.read_text() + "\n- Be brief.\n")
        eventually(lambda: edge.ask()["x-steadyhand-release"] != before, "the change is here")
        route = leader.root / "routes" / "support.toml"
        held = route.read_text()
        route.write_text(held[: held.index("[[rungs]]")] + held[held.index("[floor]") :])
        edge.serves("template")
        route.write_text(held)
        edge.serves("live")
    with edge.served(tmp_path, "again"):  # nobody leads now
        edge.serves("live")


def test_a_curated_answer_comes_along(leader: Leader, tmp_path: Path) -> None:
    edge = Edge(tmp_path / "edge", leader)
    with leader.served(tmp_path), edge.served(tmp_path):
        edge.serves("live")
        assert list((edge.root / ".steadyhand" / "answers").glob("*.answers"))


def test_a_dead_leader_leaves_only_floors_after_a_while_and_comes_back(
    leader: Leader, tmp_path: Path
) -> None:
    edge = Edge(tmp_path / "edge", leader, max_age_s=3.0)
    with leader.served(tmp_path):
        followed = edge.served(tmp_path)
        program = followed.__enter__()
        edge.serves("live")
    try:
        edge.serves("template")
        program.says(r"only floors answer now")
        with leader.served(tmp_path):
            edge.serves("live")
    finally:
        followed.__exit__(None, None, None)


def test_a_killed_supervisor_leaves_no_follower_behind(leader: Leader, tmp_path: Path) -> None:
    edge = Edge(tmp_path / "edge", leader)
    with leader.served(tmp_path), edge.served(tmp_path) as program:
        edge.serves("live")
        left = children(program.pid)
        assert len(left) >= 3, "gateway, follower, control"
        program.signal(signal.SIGKILL)
        eventually(lambda: not any(map(is_running, left)), "everything to end with it")


def test_what_cannot_be_served_here_does_not_count_as_agreement(
    leader: Leader, tmp_path: Path
) -> None:
    """It may have revoked what is served: a word from there alone must not keep that young."""
    edge = Edge(tmp_path / "edge", leader, max_age_s=4.0)
    with leader.served(tmp_path), edge.served(tmp_path):
        edge.serves("live")
        main = leader.root / "steadyhand.toml"
        far = '[providers.far]\nkind = "openai"\nbase_url = "http://127.0.0.1:1/v1"\n'
        (leader.root / "far.key").write_text("sk-far")
        main.write_text(f'{main.read_text()}\n{far}api_key = "file:far.key"\n')
        edge.serves("template")
        (edge.root / "far.key").write_text("sk-far")
        edge.serves("live")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"public_key": "other"}, "is not signed with the key that is trusted"),
        ({"token": "file:wrong.token"}, "its token is not one of a principal there"),
        ({"token": "file:steadyhand.toml"}, "does not look like a token"),
        ({"url": "http://127.0.0.1:1"}, "nothing that may be served"),
    ],
)
def test_what_may_not_be_served_does_not_start(
    leader: Leader,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    more: dict[str, str],
    reason: str,
) -> None:
    if "public_key" in more:
        more = {"public_key": open_signer(tmp_path / "other_ed25519").public_line()}
    edge = Edge(tmp_path / "edge", leader, **more)
    with leader.served(tmp_path):
        code = run(["serve", "--workspace", str(edge.root), "--port", "0", "--control-port", "0"])
    assert code != 0
    assert reason in capfd.readouterr().err


def test_a_reader_may_not_have_snapshots(
    leader: Leader, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    token = create_principal(leader.root, "ruth", ["reader", "operator", "author", "approver"])
    edge = Edge(tmp_path / "edge", leader)
    (edge.root / "leader.token").write_text(token)
    with leader.served(tmp_path):
        code = run(["serve", "--workspace", str(edge.root), "--port", "0", "--control-port", "0"])
    assert code != 0
    assert "has not the role gateway" in capfd.readouterr().err
