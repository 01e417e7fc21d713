"""Who may fetch a snapshot, and what of it; and the stream of events, over real sockets."""

import base64
import http.client
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from steadyhand.app.publish import publish
from steadyhand.app.state import State
from steadyhand.cli.main import run
from steadyhand.control.distribution import DistributionPorts
from steadyhand.control.events import Hub
from steadyhand.core.event_stream import Sent, read_events
from steadyhand.knowledge import shelf
from steadyhand.registry.signatures import Signer, key_blob, signer_of
from steadyhand.registry.signing import SNAPSHOTS, open_signer
from steadyhand.settings.load import load
from steadyhand.settings.principals import create_principal, load_principals
from steadyhand.settings.scaffold import write_workspace
from steadyhand.snapshot import sign, store
from tests.support.control_plane import RunningControl, running_control


class Plane:
    """A control plane over the demo that distributes what it has in force."""

    def __init__(self, root: Path) -> None:
        self.root = root
        write_workspace(root)
        self.tokens = {
            name: create_principal(root, name, roles)
            for name, roles in {
                "edge": ["gateway"],
                "narrow": ["gateway"],
                "ruth": ["reader"],
            }.items()
        }
        text = (root / "principals.toml").read_text()
        narrow = text.index("[principals.narrow]")
        text = text[:narrow] + text[narrow:].replace(
            'roles = ["gateway"]', 'roles = ["gateway"]\ntenants = ["nobody"]', 1
        )
        (root / "principals.toml").write_text(text)
        settings = load(root, {}, {})
        publish(settings)
        self.state = State(settings)
        key = sign.open_key(self.state.snapshot_key)
        self.snapshot = store.load(self.state.snapshots, key).snapshot
        self.signer = open_signer(self.state.registry_key)
        self.hub = Hub(lambda: 1.0)
        self.control: RunningControl | None = None

    def ports(self) -> dict[str, Any]:
        """Return what the control plane needs of it."""

        def answers(digest: str) -> bytes:
            return (self.state.answers / f"{digest}{shelf.SUFFIX}").read_bytes()

        return {
            "snapshot": lambda: self.snapshot,
            "principals": lambda: load_principals(self.root),
            "events": self.hub,
            "distribution": DistributionPorts(
                lambda: self.snapshot, lambda body: self.signer(body, SNAPSHOTS), answers
            ),
        }

    def get(self, who: str, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
        """Ask as somebody."""
        assert self.control is not None
        connection = http.client.HTTPConnection("127.0.0.1", self.control.port, timeout=30)
        try:
            sent = {"authorization": f"Bearer {self.tokens[who]}", **headers}
            connection.request("GET", f"/api/v1{path}", headers=sent)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return response.status, response.read(), found
        finally:
            connection.close()

    def trusted(self, payload: bytes, headers: dict[str, str]) -> bool:
        """Tell whether ``payload`` is signed with this plane's key, as what is distributed."""
        known = {key_blob(self.signer.public_line()): Signer("plane", frozenset())}
        armored = base64.b64decode(headers["x-steadyhand-signature"])
        return signer_of(payload, armored, known, SNAPSHOTS).name == "plane"


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[Plane]:
    """Return one that is served."""
    made = Plane(tmp_path / "demo")
    with running_control(made.root, **made.ports()) as control:
        made.control = control
        yield made
        made.hub.close()


def test_a_gateway_gets_the_snapshot_signed_and_only_if_it_is_new(plane: Plane) -> None:
    status, body, headers = plane.get("edge", "/distribution/snapshot")
    assert status == 200
    assert json.loads(body)["version"] == plane.snapshot.version
    assert plane.trusted(body, headers)
    tag = {"if-none-match": headers["etag"]}
    assert plane.get("edge", "/distribution/snapshot", **tag)[:2] == (304, b"")


def test_a_gateway_of_a_tenant_gets_nothing_of_others(plane: Plane) -> None:
    status, body, headers = plane.get("narrow", "/distribution/snapshot")
    found = json.loads(body)
    assert (status, found["keys"], found["routes"]) == (200, {}, {})
    assert plane.trusted(body, headers)
    digest = next(iter(plane.snapshot.collections.values()))
    assert plane.get("narrow", f"/distribution/answers/{digest}")[0] == 404


def test_curated_answers_are_signed_for_what_they_are(plane: Plane) -> None:
    digest = next(iter(plane.snapshot.collections.values()))
    status, body, headers = plane.get("edge", f"/distribution/answers/{digest}")
    assert status == 200
    assert plane.trusted(b"answers %b\n%b" % (digest.encode(), body), headers)
    assert plane.get("edge", "/distribution/answers/sha256:0000")[0] == 404
    assert plane.get("edge", "/distribution/answers/..%2f..%2fkeys.toml")[0] in (404, 422)


def test_who_may_only_look_gets_no_snapshot(plane: Plane) -> None:
    for path in ("/distribution/snapshot", "/distribution/answers/sha256:0000"):
        status, body, _ = plane.get("ruth", path)
        assert (status, json.loads(body)["error"]["code"]) == (403, "role_missing")


def follow(plane: Plane, found: list[Sent], count: int, **headers: str) -> threading.Thread:
    """Read events in a thread until there are ``count``."""
    assert plane.control is not None
    connection = http.client.HTTPConnection("127.0.0.1", plane.control.port, timeout=30)
    sent = {"authorization": f"Bearer {plane.tokens['ruth']}", **headers}
    connection.request("GET", "/api/v1/events", headers=sent)
    response = connection.getresponse()
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.readline().startswith(b": ")  # from now on nothing is missed

    def read() -> None:
        for event in read_events(iter(response.readline, b"")):
            found.append(event)
            if len(found) == count:
                break
        connection.close()

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread


def test_events_come_as_they_happen_and_can_be_taken_up_again(plane: Plane) -> None:
    found: list[Sent] = []
    thread = follow(plane, found, 2)
    plane.hub.tell("registry", {"action": "promote"})
    plane.hub.tell("snapshot", {"version": 2})
    thread.join(20)
    assert [one.kind for one in found] == ["registry", "snapshot"]
    again: list[Sent] = []
    thread = follow(plane, again, 1, **{"last-event-id": str(found[0].number)})
    thread.join(20)
    assert again == [found[1]]


def test_strangers_hear_nothing(plane: Plane) -> None:
    plane.tokens["stranger"] = "shp_nobody"
    assert plane.get("stranger", "/events")[0] == 401


def _interrupted(_: float) -> None:
    raise KeyboardInterrupt


def test_the_command_prints_what_happens(
    plane: Plane, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert plane.control is not None
    monkeypatch.setenv("STEADYHAND_CONTROL_TOKEN", plane.tokens["ruth"])
    plane.hub.tell("snapshot", {"version": 1})
    plane.hub.tell("registry", {"subject": "Promote it", "principal": "olive"})
    threading.Timer(1.0, plane.hub.close).start()
    command = ["events", "--after", "1001", "--json"]
    monkeypatch.setattr("time.sleep", _interrupted)  # instead of taking it up again
    assert run([*command, "--url", f"http://127.0.0.1:{plane.control.port}"]) == 130
    printed = capsys.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    assert [line["data"].get("principal") for line in lines] == ["olive"]
