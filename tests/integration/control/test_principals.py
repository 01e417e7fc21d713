"""Who may do what on the control plane, and the registry's REST over a real repository."""

import base64
import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from steadyhand.app.registry import PrincipalsReader, Registry, registry_ports
from steadyhand.control.drills import DrillPorts
from steadyhand.settings.load import load
from steadyhand.settings.principals import create_principal, revoke_principal
from steadyhand.settings.scaffold import write_workspace
from tests.support.control_plane import RunningControl, running_control

PEOPLE = {
    "alice": ["author"],
    "bob": ["approver"],
    "olive": ["operator"],
    "ruth": ["reader"],
    "root": ["author", "approver", "operator"],
}
HOSTILE = ["../../etc", "A", "a%2Fb", "%00", "x" * 64, "sha256:" + "0" * 63]


class Desk:
    """A control plane with a registry, and people with tokens."""

    def __init__(self, control: RunningControl, tokens: dict[str, str], root: Path) -> None:
        self.control = control
        self.tokens = tokens
        self.root = root

    def send(
        self, who: str, method: str, path: str, body: object = None
    ) -> tuple[int, dict[str, Any]]:
        """Ask as somebody; return status and JSON."""
        connection = HTTPConnection("127.0.0.1", self.control.port, timeout=30)
        headers = {
            "authorization": f"Bearer {self.tokens.get(who, who)}",
            "content-type": "application/json",
        }
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, f"/api/v1{path}", sent, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def post(self, who: str, path: str, **body: object) -> tuple[int, dict[str, Any]]:
        """Order something as somebody."""
        return self.send(who, "POST", path, body)

    def release(self, text: str = "Be kind.") -> str:
        """Put a release as Alice and return its first digits."""
        files = {"prompts/support.md": base64.b64encode(text.encode()).decode()}
        status, made = self.post("alice", "/releases", route="support", files=files)
        assert status == 200, made
        return str(made["short"])

    def live(self, text: str) -> str:
        """Bring a release to production."""
        digest = self.release(text)
        steps = (
            ("alice", "/channels/staging/support/promote", {"digest": digest}),
            ("bob", f"/releases/{digest}/approvals", {"environment": "production"}),
            ("olive", "/channels/production/support/promote", {"digest": digest}),
        )
        for who, path, body in steps:
            status, said = self.send(who, "POST", path, body)
            assert status == 200, said
        return digest


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Return a control plane over the demo."""
    root = tmp_path / "demo"
    write_workspace(root)
    tokens = {name: create_principal(root, name, roles) for name, roles in PEOPLE.items()}
    settings = load(root, {}, {})
    drills = DrillPorts(dict, lambda: ("support",), lambda _: True, lambda _: None)
    principals = PrincipalsReader(root)
    registry = Registry(settings, principals, lambda _: None, lambda _, __: None)
    ports: dict[str, Any] = {
        "drills": drills,
        "principals": principals,
        "registry": lambda login: registry_ports(registry, settings, login),
    }
    with running_control(root, **ports) as control:
        yield Desk(control, tokens | {"bootstrap": control.token}, root)


def test_everybody_known_may_look_and_nobody_else(desk: Desk) -> None:
    for who in (*PEOPLE, "bootstrap"):
        assert desk.send(who, "GET", "/registry")[0] == 200
    assert desk.send("shp_nobody", "GET", "/registry")[0] == 401
    status, said = desk.send("ruth", "GET", "/whoami")
    assert (status, said) == (200, {"name": "ruth", "method": "token", "roles": ["reader"]})


@pytest.mark.parametrize("who", ["alice", "bob", "ruth", "olive"])
def test_each_order_takes_its_role(desk: Desk, who: str) -> None:
    digest = desk.live("Be kind.")
    orders = {
        "/releases": ({"route": "support", "files": {}}, {"alice"}),
        f"/releases/{digest}/approvals": ({"environment": "production"}, {"bob"}),
        "/channels/staging/support/promote": ({"digest": digest}, {"alice", "olive"}),
        "/channels/production/support/promote": ({"digest": digest}, {"olive"}),
        "/channels/production/support/candidate": (
            {"digest": digest, "weight_percent": 5},
            {"olive"},
        ),
        "/channels/production/support/give-up": ({}, {"olive"}),
        "/channels/production/support/rollback": ({}, {"olive"}),
        f"/releases/{digest}/revocation": ({"reason": "x"}, {"olive"}),
    }
    for path, (body, allowed) in orders.items():
        status, said = desk.send(who, "POST", path, body)
        assert (status != 403) == (who in allowed), (path, said)
        if status == 403:
            assert said["error"]["code"] == "role_missing"


def test_orders_to_the_installation_take_an_operator(desk: Desk) -> None:
    for who, status in (("ruth", 403), ("alice", 403), ("olive", 404), ("bootstrap", 404)):
        assert desk.post(who, "/drills/runs", route="nobody")[0] == status
        assert desk.send(who, "GET", "/drills")[0] == 200


def test_operators_may_ask_environments_for_more_and_only_the_installation_for_less(
    desk: Desk,
) -> None:
    more = '[environments.staging]\n[environments.production]\nfrom = "staging"\n'
    more += "approvals = 2\nprotected = true\nbake_s = 60\n"
    path = "/registry/environments"
    assert desk.send("alice", "PUT", path, {"toml": more})[0] == 403
    status, said = desk.send("olive", "PUT", path, {"toml": more, "note": "two people"})
    assert (status, said["environments"][1]["approvals"]) == (200, 2)
    for text, told in {
        more.replace("approvals = 2", "approvals = 0"): "production needs 0 approvals instead of 2",
        more.replace("protected = true", ""): "production is not protected any more",
        more.replace('from = "staging"', ""): "production comes from anywhere instead of staging",
        more.replace("bake_s = 60", ""): "production bakes 0 s instead of 60",
    }.items():
        status, said = desk.send("olive", "PUT", path, {"toml": text})
        assert (status, told in said["error"]["message"]) == (409, True), said
    less = more.replace("approvals = 2", "approvals = 0")
    assert desk.send("bootstrap", "PUT", path, {"toml": less})[0] == 200
    status, said = desk.send("olive", "PUT", path, {"toml": "nonsense"})
    assert (status, said["error"]["code"]) == (409, "environments_invalid")


def test_the_whole_way_by_rest(desk: Desk) -> None:
    first, second = desk.live("Be kind."), desk.live("Be brief.")
    status, said = desk.send("ruth", "GET", f"/releases/{first}/diff?to=production/support")
    assert status == 200
    assert "+Be brief." in said["texts"][0]["lines"]
    status, said = desk.post("olive", "/channels/production/support/rollback", note="terse")
    assert (status, said["stable"][7:23]) == (200, first)
    status, said = desk.send("ruth", "GET", f"/releases/{second}")
    assert said["revocation"]["holds"]
    assert said["approvals"][0]["principal"] == "bob"
    status, said = desk.post("alice", "/channels/staging/support/promote", digest=second)
    assert (status, said["error"]["code"]) == (409, "release_refused")
    assert desk.post("olive", f"/releases/{second}/waiver", reason="why")[1]["holds"]
    assert not desk.post("bob", f"/releases/{second}/waiver", reason="ok")[1]["holds"]
    status, said = desk.send("ruth", "GET", "/channels/production/support")
    assert [one["by"] for one in said["items"]] == ["olive"] * 3
    assert said["markdown"].startswith("# support in production")
    assert len(desk.send("ruth", "GET", "/releases?route=support")[1]["items"]) == 2
    assert desk.send("ruth", "GET", "/registry")[1]["releases"] == 2
    files = desk.send("ruth", "GET", f"/releases/{first}/files")[1]["files"]
    assert base64.b64decode(files["prompts/support.md"]) == b"Be kind."


def test_a_release_is_checked_and_previewed_by_rest(desk: Desk) -> None:
    made = desk.post("alice", "/releases", route="support")[1]
    status, said = desk.send("ruth", "GET", f"/releases/{made['short']}/lint")
    assert (status, said) == (200, {"digest": made["digest"], "fails": False, "items": []})
    status, said = desk.send("ruth", "GET", f"/releases/{made['short']}/preview")
    [item] = said["items"]
    assert (item["prompt"], item["sample"], item["changes"]) == ("support", "made up", [])
    assert {one["origin"] for one in item["messages"][0]["segments"]} == {"author", "knowledge"}
    prompt = desk.root / "prompts" / "support.md"
    prompt.write_text(prompt.read_text().replace("support team", "TODO") + "\n- Be brief.\n")
    path = f"/releases/{made['short']}/preview?to=workspace"
    [item] = desk.send("ruth", "GET", path)[1]["items"]
    assert "+- Be brief." in item["changes"]
    second = desk.post("alice", "/releases", route="support")[1]
    said = desk.send("ruth", "GET", f"/releases/{second['short']}/lint")[1]
    assert (said["fails"], [one["code"] for one in said["items"]]) == (True, ["P0103"])


def test_a_release_that_cannot_be_read_says_why(desk: Desk) -> None:
    broken = desk.release("no front matter")
    said = desk.send("ruth", "GET", f"/releases/{broken}/lint")[1]
    assert said["fails"]
    assert "E0311" in {one["code"] for one in said["items"]}
    status, said = desk.send("ruth", "GET", f"/releases/{broken}/preview")
    assert (status, said["error"]["code"]) == (409, "release_unreadable")


def test_a_candidate_by_rest(desk: Desk) -> None:
    desk.live("Be kind.")
    second = desk.release("Be brief.")
    desk.post("alice", "/channels/staging/support/promote", digest=second)
    desk.post("bob", f"/releases/{second}/approvals", environment="production")
    path = "/channels/production/support"
    said = desk.post("olive", f"{path}/candidate", digest=second, weight_percent=2.5)[1]
    assert (said["candidate"][7:23], said["weight_percent"]) == (second, 2.5)
    assert desk.post("olive", f"{path}/give-up")[1]["candidate"] == ""


def test_a_release_of_the_running_workspace_is_what_its_files_say(desk: Desk) -> None:
    status, made = desk.post("alice", "/releases", route="support")
    assert (status, made["files"]) == (200, 20)
    said = desk.send("alice", "GET", f"/releases/{made['short']}/diff")[1]
    assert said["lines"] == ["nothing differs"]
    prompt = desk.control.workspace / "prompts" / "support.md"
    prompt.write_text(prompt.read_text() + "\n- Be brief.\n")
    said = desk.send("alice", "GET", f"/releases/{made['short']}/diff")[1]
    assert said["prompt_tokens"] > 0
    assert desk.post("alice", "/releases", route="nobody")[1]["error"]["code"] == "route_missing"


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_refused_and_change_nothing(desk: Desk, name: str) -> None:
    head = desk.send("root", "GET", "/registry")[1]["head"]
    for path, body in (
        (f"/channels/{name}/support/promote", {"digest": "abcdef"}),
        (f"/channels/staging/{name}/promote", {"digest": "abcdef"}),
        (f"/releases/{name}/revocation", {"reason": "x"}),
        ("/releases", {"route": name, "files": {}}),
        ("/releases", {"route": "support", "files": {name + "/../x": ""}}),
        ("/releases", {"route": "support", "files": {"a": "not base64!"}}),
        ("/channels/staging/support/promote", {"digest": name}),
    ):
        status, said = desk.send("root", "POST", path, body)
        assert 400 <= status < 500, (path, said)
        assert said["error"]["message"]
    assert desk.send("root", "GET", "/registry")[1]["head"] == head


def test_a_principal_who_is_revoked_is_refused_at_once(desk: Desk) -> None:
    assert desk.send("ruth", "GET", "/registry")[0] == 200
    revoke_principal(desk.control.workspace, "ruth")
    assert desk.send("ruth", "GET", "/registry")[0] == 401
    assert desk.send("alice", "GET", "/registry")[0] == 200


def test_a_broken_file_lets_nobody_new_in_and_nobody_out(desk: Desk) -> None:
    path = desk.control.workspace / "principals.toml"
    good = path.read_text()
    assert desk.send("ruth", "GET", "/registry")[0] == 200
    path.write_text(good + "\n[principals.mallory]\nroles = ['king']\n")
    assert desk.send("ruth", "GET", "/registry")[0] == 200
    path.unlink()
    assert desk.send("ruth", "GET", "/registry")[0] == 401
    assert desk.send("bootstrap", "GET", "/registry")[0] == 200


def test_an_empty_registry_says_so(desk: Desk) -> None:
    assert desk.send("ruth", "GET", "/releases")[1] == {"items": []}
    assert desk.send("ruth", "GET", "/channels")[1] == {"items": []}
    status, said = desk.send("ruth", "GET", "/channels/production/support")
    assert (status, said["error"]["code"]) == (404, "not_found")
    assert desk.send("ruth", "GET", "/channels/nowhere/support")[0] == 404
