"""Rollouts by REST and by command, over a real database and repository."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from steadyhand.cli.rollout_jobs import plan_of
from steadyhand.cli.traffic import Planned
from steadyhand.control.rollouts.orders import RolloutPorts
from steadyhand.settings.principals import create_principal
from steadyhand.settings.scaffold import write_workspace
from steadyhand.tenancy.settings import PrincipalSettings
from tests.support.commands import steadyhand
from tests.support.control_plane import RunningControl, running_control
from tests.support.rollouts import World


class House:
    """A control plane with rollouts, and what happens to them."""

    def __init__(self, control: RunningControl, world: World, reader: str) -> None:
        self.control, self.world, self.reader = control, world, reader

    def send(
        self, method: str, path: str, body: object = None, token: str = ""
    ) -> tuple[int, dict[str, Any]]:
        connection = HTTPConnection("127.0.0.1", self.control.port, timeout=30)
        headers = {
            "authorization": f"Bearer {token or self.control.token}",
            "content-type": "application/json",
        }
        sent = None if body is None else json.dumps(body)
        connection.request(method, f"/api/v1{path}", sent, headers)
        response = connection.getresponse()
        found = json.loads(response.read())
        connection.close()
        return response.status, found

    def run(self, *arguments: str) -> CompletedProcess[str]:
        return steadyhand(*arguments, "--url", self.control.url, workspace=self.control.workspace)

    def start(self, text: str = "Be quick.") -> dict[str, Any]:
        digest = self.world.release(text)
        body = {"route": "support", "environment": "staging", "digest": digest, "note": "try"}
        status, found = self.send("POST", "/rollouts", body)
        assert status == 200, found
        return found


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    root = tmp_path / "demo"
    write_workspace(root)
    reader = create_principal(root, "ruth", ["reader"])
    world = World(tmp_path)
    from steadyhand.app.registry import PrincipalsReader

    principals: PrincipalsReader = PrincipalsReader(root)
    known: dict[str, PrincipalSettings] = dict(principals())
    ports = RolloutPorts(world.store, world.service(), world.git.noted)
    with running_control(root, rollouts=ports, principals=lambda: known) as control:
        yield House(control, world, reader)
    world.git.close()
    world.database.close()


def test_before_the_first_there_is_nothing_and_a_hint(house: House) -> None:
    assert house.send("GET", "/rollouts") == (200, {"items": []})
    assert house.send("GET", "/incidents") == (200, {"items": []})
    listed = house.run("rollout", "list")
    assert (listed.returncode, listed.stdout) == (0, "")
    assert "begin one: steadyhand rollout start" in listed.stderr
    watched = house.run("rollout", "watch")
    assert watched.returncode == 2
    assert "no rollout is open" in watched.stderr
    assert "no rollout was ever taken back" in house.run("incident", "list").stderr


def test_a_rollout_from_its_start_to_its_certificate(house: House) -> None:
    house.world.stable()
    begun = house.start()
    id_ = begun["id"]
    assert (begun["phase"], begun["weight_percent"], begun["look"]) == ("opening", 5.0, None)
    assert "nothing has been counted yet" in house.run("rollout", "show", id_).stdout
    house.world.run(2)
    status, found = house.send("GET", f"/rollouts/{id_}")
    assert status == 200
    arms = {arm["arm"]: arm for arm in found["look"]["arms"]}
    assert sum(arm["requests"] for arm in arms.values()) == 200
    assert set(arms) == {"candidate", "control", "stable"}
    assert found["look"]["rolls_back_at"] == pytest.approx(200)
    house.world.run(8, bad=lambda arm: arm == "candidate")
    shown = house.run("rollout", "show", id_[:7]).stdout
    for part in ("rolled_back: worse_than_control", "worse than control", "gateways told", "###"):
        assert part in shown
    assert f"{id_}\tsupport\tstaging" in house.run("rollout", "list").stdout
    watched = house.run("rollout", "watch", id_, "--json")
    assert watched.returncode == 1
    assert json.loads(watched.stdout)["outcome"] == "rolled_back"
    verified = house.run("rollout", "verify", id_)
    assert (verified.returncode, verified.stderr) == (0, "")
    assert "verdict\tyes\troll_back: worse_than_control" in verified.stdout
    incident = json.loads(house.run("incident", "list", "--json").stdout)[0]
    assert incident["commit"] == house.send("GET", f"/rollouts/{id_}")[1]["commit"]
    assert house.run("incident", "show", incident["id"]).stdout.startswith("# support in staging")


def test_a_certificate_is_verified_in_a_clone_and_from_a_file(house: House) -> None:
    world = house.world
    world.stable()
    house.start()
    world.run(8, bad=lambda arm: arm == "candidate")
    key, clone = world.signer.public_line(), str(world.git.path)
    found = house.run("rollout", "verify", "--repository", clone, "--key", key)
    assert (found.returncode, found.stderr) == (0, "")
    assert "signature\tyes\tby the key of the registry" in found.stdout
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDf1WpVsGbTlO8mGzHyTUGSb0Fyf9nRM5kUJ5ZyRj0Wf"
    wrong = house.run("rollout", "verify", "--repository", clone, "--key", other)
    assert wrong.returncode == 1
    assert "signature\tNO" in wrong.stdout
    commit = world.store.list()[0].work.commit
    text = world.git.noted(commit)
    file = house.control.workspace / "certificate.json"
    assert text.count('\\"margin\\":1.1') == 1
    file.write_text(text.replace('\\"margin\\":1.1', '\\"margin\\":1.0'))
    assert "path\tNO" in house.run("rollout", "verify", "--file", str(file)).stdout
    file.write_text("{}")
    damaged = house.run("rollout", "verify", "--file", str(file))
    assert "error[certificate_damaged]" in damaged.stderr
    head = world.git.history("environments.toml")[0].commit
    without = house.run("rollout", "verify", "--repository", clone, "--commit", head)
    assert "has no certificate there" in without.stderr
    nowhere = house.run("rollout", "verify", "--repository", str(house.control.workspace))
    assert "error[registry_unavailable]" in nowhere.stderr
    assert house.run("rollout", "verify").returncode == 2


def test_orders_by_command(house: House) -> None:
    house.world.stable()
    digest = house.world.release("Be quick.")
    started = house.run("rollout", "start", "support", digest, "--in", "staging", "-m", "try")
    assert started.returncode == 0
    assert "next: steadyhand rollout watch" in started.stderr
    [id_] = [one.id for one in house.world.store.list()]
    house.world.run(1)
    assert "stays at its step" in house.run("rollout", "pause", id_, "-m", "lunch").stdout
    assert "paused" in house.run("rollout", "list", "--open").stdout
    assert "goes on" in house.run("rollout", "resume", id_).stdout
    assert house.run("rollout", "force", id_, "promote").returncode == 2, "a reason is asked for"
    assert (
        "promote, as ordered" in house.run("rollout", "force", id_, "promote", "-m", "sure").stdout
    )
    house.world.run(1)
    assert house.run("rollout", "watch", id_).returncode == 0
    late = house.run("rollout", "abort", id_)
    assert "not_running" in late.stderr
    other = house.start("Be short.")["id"]
    assert "everybody gets the stable release" in house.run("rollout", "abort", other).stdout


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/rollouts/ro_9999", None, 404, "rollout_missing"),
        ("GET", "/rollouts/..%2f", None, 404, ""),
        ("GET", "/rollouts/UPPER", None, 422, ""),
        ("GET", "/incidents/incident-ro_9999", None, 404, ""),
        ("GET", "/rollouts/ro_0001/certificate", None, 404, "certificate_missing"),
        ("POST", "/rollouts", {"route": "support"}, 422, ""),
        (
            "POST",
            "/rollouts",
            {"route": "support", "environment": "staging", "digest": "ffffffff"},
            404,
            "",
        ),
        (
            "POST",
            "/rollouts",
            {"route": "../x", "environment": "staging", "digest": "ffffffff"},
            422,
            "",
        ),
        ("POST", "/rollouts/ro_0001/force", {"decision": "hope", "note": "x"}, 422, ""),
        ("POST", "/rollouts/ro_0001/force", {"decision": "promote", "note": ""}, 422, ""),
        ("POST", "/rollouts/ro_0001/pause", {"why": "x"}, 422, ""),
    ],
)
def test_bad_input_is_refused_in_one_shape(
    house: House, method: str, path: str, body: object, status: int, code: str
) -> None:
    house.world.stable()
    house.start()
    found, said = house.send(method, path, body)
    assert found == status, said
    assert said["error"]["message"]
    if code:
        assert said["error"]["code"] == code


def test_who_may_only_look_gives_no_orders(house: House) -> None:
    house.world.stable()
    id_ = house.start()["id"]
    assert house.send("GET", f"/rollouts/{id_}", token=house.reader)[0] == 200
    for order in ("pause", "resume", "abort"):
        status, said = house.send("POST", f"/rollouts/{id_}/{order}", {}, house.reader)
        assert (status, said["error"]["code"]) == (403, "role_missing")
    assert house.world.store.list()[0].phase == "opening"


@pytest.mark.parametrize(
    ("end", "code"), [("promote", 0), ("roll_back", 1), ("abort", 4), ("", 4), ("pause", 3)]
)
def test_a_verdict_is_an_exit_code(house: House, end: str, code: int) -> None:
    house.world.stable()
    id_ = house.start()["id"]
    if end == "pause":  # nobody asks the candidate
        house.world.run(70, per_s=0)
    elif end == "abort":
        house.world.service().abort(id_, "olive")
    elif end:
        house.world.run(1)
        house.world.service().force(id_, end, "olive", "because")
    house.world.run(1 if end != "pause" else 0)
    assert house.run("rollout", "judge", id_).returncode == code


def test_what_cannot_be_told_is_no_verdict(house: House) -> None:
    missing = house.run("rollout", "judge", "ro_9999")
    assert (missing.returncode, "ro_9999" in missing.stderr) == (2, True)
    away = steadyhand(
        "rollout", "judge", "ro_1", "--url", "http://127.0.0.1:1", workspace=house.control.workspace
    )
    assert (away.returncode, "control_unreachable" in away.stderr) == (2, True)


def test_a_job_is_run_once_and_ends_with_its_verdict(house: House) -> None:
    house.world.stable()
    id_ = house.start()["id"]
    house.world.run(1)
    house.world.service().force(id_, "promote", "olive", "because")
    house.world.run(1)
    first = house.run("rollout", "job", id_, "judge", "--json")
    assert first.returncode == 0, first.stderr
    said = json.loads(first.stdout)
    assert (said["phase"], said["exit_code"], said["verdict"]) == ("succeeded", 0, "promote")
    again = house.run("rollout", "job", id_, "judge", "--json")
    assert json.loads(again.stdout) == said, "the same job, found again"
    jobs = [*(house.control.workspace / ".steadyhand" / "run" / "jobs").iterdir()]
    assert [path.name for path in jobs] == [said["job"]]
    assert house.run("rollout", "job", id_, "sing").returncode == 2


def test_a_probe_that_reaches_nobody_says_so(house: House, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-x")
    said = house.run(
        *("rollout", "probe", "--route", "support", "--key-file", str(tmp_path / "key")),
        *("--gateway", "127.0.0.1:1", "--count", "3"),
    )
    assert said.returncode == 2
    assert "unreachable" in said.stdout
    assert house.run("rollout", "probe", "--route", "x", "--key-file", "no").returncode == 2


def test_recorded_load_is_planned_as_it_came() -> None:
    rows = [
        {"received_us": 3_000_000, "stream": True, "request_bytes": 500},
        {"received_us": 1_000_000, "stream": False, "request_bytes": 2_000},
    ]
    assert plan_of(rows, 2.0) == [Planned(0.0, False, 2_000), Planned(1.0, True, 500)]
    assert plan_of([], 1.0) == []


def test_what_was_never_recorded_is_not_sent_again(house: House, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-x")
    said = house.run("rollout", "replay", "--route", "support", "--key-file", str(tmp_path / "key"))
    assert (said.returncode, "nothing of route" in said.stderr) == (2, True)


def test_the_path_of_the_evidence_is_shown(house: House) -> None:
    house.world.stable()
    started = house.start()
    empty = house.send("GET", f"/rollouts/{started['id']}/looks")[1]
    assert (empty["items"], empty["looks"], empty["rolls_back_at"]) == ([], 0, None)
    house.world.run(8, per_s=50)
    found = house.send("GET", f"/rollouts/{started['id']}/looks")[1]
    assert found["looks"] > 1
    assert len(found["items"]) == min(found["looks"], 240)
    times = [one["at_us"] for one in found["items"]]
    assert times == sorted(times)
    last, now = found["items"][-1], house.send("GET", f"/rollouts/{started['id']}")[1]["look"]
    assert last["against"] == now["against"]
    assert found["rolls_back_at"] == now["rolls_back_at"]
    assert last["candidate_requests"] <= sum(arm["requests"] for arm in now["arms"])
