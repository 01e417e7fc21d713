"""Breaking over REST edits the workspace as the commands do, for who may give orders."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from steadyhand.app.breaking import breaking_ports
from steadyhand.app.registry import PrincipalsReader
from steadyhand.settings.principals import create_principal
from steadyhand.settings.scaffold import write_workspace
from tests.support.control_plane import Answer, RunningControl, running_control


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "demo"
    write_workspace(root)
    return root


@pytest.fixture
def control(root: Path) -> Iterator[RunningControl]:
    known = PrincipalsReader(root)
    with running_control(root, breaking=breaking_ports(root), principals=known) as running:
        yield running


def send(
    control: RunningControl, method: str, path: str, body: object = None, token: str = ""
) -> Answer:
    headers = {
        "authorization": f"Bearer {token or control.token}",
        "content-type": "application/json",
    }
    sent = None if body is None else json.dumps(body).encode()
    return control.get(f"/api/v1/breaking{path}", headers, method=method, body=sent)


def provider(control: RunningControl) -> dict[str, object]:
    found: dict[str, object] = send(control, "GET", "").json["providers"][0]
    return found


def test_a_provider_is_broken_and_mended(control: RunningControl, root: Path) -> None:
    before = (root / "steadyhand.toml").read_text()
    whole = provider(control)
    assert whole == {"name": "simulated", "behaviour": "", "models": {}, "is_broken": False}
    done = send(control, "PUT", "/simulated", {"behaviour": "error-500"})
    assert (done.status, done.json["is_changed"]) == (200, True)
    assert provider(control)["behaviour"] == "error-500"
    assert provider(control)["is_broken"]
    again = send(control, "PUT", "/simulated", {"behaviour": "error-500"})
    assert not again.json["is_changed"]
    send(control, "PUT", "/simulated", {"behaviour": "slow:ttft_ms=800", "model": "quote"})
    assert provider(control)["models"] == {"quote": "slow:ttft_ms=800"}
    assert send(control, "DELETE", "/simulated?model=quote").status == 200
    assert provider(control)["models"] == {}
    assert send(control, "DELETE", "/simulated").status == 200
    assert (root / "steadyhand.toml").read_text() == before


def test_every_way_to_fail_is_listed_with_what_it_does(control: RunningControl) -> None:
    faults = send(control, "GET", "").json["faults"]
    assert len(faults) > 40
    assert {"family": "Error statuses", "name": "error-500"}.items() <= next(
        fault for fault in faults if fault["name"] == "error-500"
    ).items()
    assert all(fault["does"].endswith(".") for fault in faults)


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/simulated", {"behaviour": "error-5000"}, 422, "unknown_behaviour"),
        ("/simulated", {"behaviour": ""}, 422, "invalid_parameter"),
        ("/simulated", {"behaviour": "steady", "color": "red"}, 422, "invalid_parameter"),
        ("/nobody", {"behaviour": "error-500"}, 404, "not_found"),
        ("/..%2f", {"behaviour": "error-500"}, 404, "not_found"),
    ],
)
def test_what_cannot_be_done_says_why(
    control: RunningControl, path: str, body: object, status: int, code: str
) -> None:
    answer = send(control, "PUT", path, body)
    assert answer.status == status, answer.body
    assert answer.json["error"]["code"] == code
    assert not provider(control)["is_broken"]


def test_who_only_reads_looks_and_breaks_nothing(control: RunningControl, root: Path) -> None:
    reader = create_principal(root, "ruth", ["reader"])
    assert send(control, "GET", "", token=reader).status == 200
    refused = send(control, "PUT", "/simulated", {"behaviour": "error-500"}, reader)
    assert refused.status == 403
    assert send(control, "DELETE", "/simulated", token=reader).status == 403
    assert not provider(control)["is_broken"]


def test_a_workspace_with_mistakes_is_left_as_it_is(control: RunningControl, root: Path) -> None:
    path = root / "steadyhand.toml"
    path.write_text(path.read_text() + "\n[nonsense]\n")
    before = path.read_text()
    answer = send(control, "PUT", "/simulated", {"behaviour": "error-500"})
    assert answer.status >= 400
    assert path.read_text() == before


def test_what_is_expected_is_told_before(control: RunningControl) -> None:
    found = send(control, "GET", "/backup/prediction").json["items"]
    by_route = {one["route"]: one for one in found}
    assert by_route["support"]["speaker"] == "live"
    assert by_route["support"]["who"] == "openai/gpt-fast"
    assert not by_route["labels"]["is_touched"]
    dead = send(control, "GET", "/openai/prediction").json["items"]
    assert {one["route"]: one["speaker"] for one in dead} == {"labels": "floor", "support": "live"}
