"""``steadyhand upstreams break`` and ``mend``: what they do, and what they refuse."""

import json
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from steadyhand.settings.load import load
from steadyhand.simulation.behaviour import BEHAVIOURS
from tests.support.clone import eventually
from tests.support.commands import steadyhand
from tests.support.tree import PACKAGE
from tests.support.workspaces import write

FAR = '\n[providers.far]\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\n'


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    write(tmp_path)
    file = tmp_path / "steadyhand.toml"
    file.write_text(f"# ours\n{file.read_text()}{FAR}")
    return tmp_path


def settings_of(workspace: Path, provider: str = "near") -> dict[str, object]:
    table: dict[str, object] = json.loads(
        bytes(load(workspace, {}, {}).providers[provider].settings)
    )
    return table


def test_it_breaks_and_mends_and_says_so(workspace: Path) -> None:
    file = workspace / "steadyhand.toml"
    before = file.read_text()
    file.chmod(0o640)
    broken = steadyhand("upstreams", "break", "near", "error-500", workspace=workspace)
    assert broken.returncode == 0, broken.stderr
    assert "near is broken: error-500. The server failed." in broken.stdout
    assert "no gateway runs on this workspace here" in broken.stdout
    assert "steadyhand upstreams mend near\n" in broken.stdout
    assert settings_of(workspace)["behaviour"] == "error-500"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    mended = steadyhand("upstreams", "mend", "near", workspace=workspace)
    assert mended.stdout.startswith("near is mended\n")
    assert file.read_text() == before
    again = steadyhand("upstreams", "mend", "near", workspace=workspace)
    assert again.stdout.startswith("near was not broken\n")


def test_one_model_can_be_broken_and_mending_the_provider_mends_it(workspace: Path) -> None:
    before = (workspace / "steadyhand.toml").read_text()
    for model in ("steady", "quote"):
        arguments = ("upstreams", "break", "near", "slow:ttft_ms=9", "--model", model, "--json")
        said = json.loads(steadyhand(*arguments, workspace=workspace).stdout)
        assert said == {
            "provider": "near",
            "model": model,
            "behaviour": "slow:ttft_ms=9",
            "is_changed": True,
            "gateways": 0,
            "is_in_force": False,
        }
    assert settings_of(workspace)["behaviours"] == dict.fromkeys(
        ["steady", "quote"], "slow:ttft_ms=9"
    )
    steadyhand("upstreams", "mend", "near", workspace=workspace)
    assert (workspace / "steadyhand.toml").read_text() == before


def test_every_behaviour_is_listed_by_family(workspace: Path) -> None:
    listed = steadyhand("upstreams", "break", "--list", "--json", workspace=workspace)
    rows = json.loads(listed.stdout)
    assert {row["name"] for row in rows} == set(BEHAVIOURS)
    text = steadyhand("upstreams", "break", "--list", workspace=workspace).stdout
    assert "Silence\n  silent-before-headers" in text


@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (("neer", "error-500"), "not_found", "did you mean 'near'?"),
        (("nowhere", "error-500"), "not_found", "simulated: near"),
        (("near", "eror-500"), "unknown_behaviour", "did you mean 'error-500'?"),
        (("near", "zzz"), "unknown_behaviour", "upstreams break --list"),
        (("near", "slow:speed=1"), "unknown_behaviour", "simulated-models.md"),
        (("far", "error-500"), "not_simulated", "`steadyhand simulate`"),
        (("near",), "usage", "upstreams break simulated error-500"),
        (("near", "slow", "--for", "soon"), "usage", "30s, 5m or 1h"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_hint(
    workspace: Path, arguments: tuple[str, ...], code: str, hint: str
) -> None:
    before = (workspace / "steadyhand.toml").read_bytes()
    refused = steadyhand("upstreams", "break", *arguments, workspace=workspace)
    assert refused.returncode != 0
    assert f"error[{code}]" in refused.stderr
    assert hint in refused.stderr
    assert (workspace / "steadyhand.toml").read_bytes() == before


def test_a_workspace_with_mistakes_is_left_alone(workspace: Path) -> None:
    (workspace / "keys.toml").write_text("[")
    refused = steadyhand("upstreams", "break", "near", "slow", workspace=workspace)
    assert "error[E0103]" in refused.stderr
    assert "behaviour" not in (workspace / "steadyhand.toml").read_text()


def test_a_variable_that_goes_before_the_file_is_named(workspace: Path) -> None:
    before = (workspace / "steadyhand.toml").read_bytes()
    variable = "STEADYHAND_PROVIDERS__NEAR__BEHAVIOUR"
    refused = steadyhand(
        "upstreams", "break", "near", "slow", workspace=workspace, environment={variable: "drip"}
    )
    assert "error[overridden]" in refused.stderr
    assert variable in refused.stderr
    assert (workspace / "steadyhand.toml").read_bytes() == before


@pytest.mark.parametrize("is_interrupted", [False, True])
def test_for_a_time_it_mends_by_itself_also_when_interrupted(
    workspace: Path, *, is_interrupted: bool
) -> None:
    file = workspace / "steadyhand.toml"
    before = file.read_text()
    lasting = "1h" if is_interrupted else "1s"
    command = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "steadyhand",
            "upstreams",
            "break",
            "near",
            "slow",
            "--for",
            lasting,
        ],
        cwd=workspace,
        env={"PYTHONPATH": str(PACKAGE.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert command.stderr is not None
    assert command.stderr.readline().startswith(f"mending it in {lasting}")
    assert settings_of(workspace)["behaviour"] == "slow"
    if is_interrupted:
        command.send_signal(signal.SIGINT)
    stdout, _ = command.communicate(timeout=60)
    assert "near is mended" in stdout
    assert command.returncode == (130 if is_interrupted else 0)
    eventually(lambda: file.read_text() == before, "the file as it was")
