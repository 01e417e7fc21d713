"""The gate with parts that fail: a change is not worse for what is not its doing."""

import json
import subprocess
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from steadyhand.app.gate import NoSuchStable, fetch
from steadyhand.settings.breaking import break_provider
from steadyhand.settings.scaffold import write_workspace
from tests.support.commands import steadyhand

SUITE = """
route = "support"
repeats = 2
[[cases]]
id = "echo"
ask = "What does VACUUM do?"
contains = ["What does VACUUM do?"]
[[cases]]
id = "other"
ask = "What is a tablespace?"
contains = ["tablespace"]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "team" / "bot"
    write_workspace(root)
    (root / "suites" / "support.toml").write_text(SUITE)
    return root


def gate(root: Path, stable: Path | str, *more: str) -> CompletedProcess[str]:
    suite = str(root / "suites" / "support.toml")
    told = ("gate", suite, "--stable", str(stable), "--seed", "1", *more)
    return steadyhand(*told, workspace=root)


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.invalid")
    subprocess.run(("git", *who, *arguments), cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize("behaviour", ["error-500", "refused"])
def test_a_provider_that_is_away_is_not_the_changes_doing(root: Path, behaviour: str) -> None:
    break_provider(root, "simulated", behaviour)
    done = gate(root, root, "--json")
    assert done.returncode == 11, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["decision"] == "not_measured"
    assert told["unmeasured"] == 4
    assert told["pairs"]["n"] == 0


def test_a_candidate_whose_provider_is_broken_in_the_file_is_not_called_worse(
    root: Path, tmp_path: Path
) -> None:
    before = tmp_path / "before"
    write_workspace(before)
    break_provider(root, "simulated", "error-500")
    done = gate(root, before, "--json")
    assert json.loads(done.stdout)["decision"] == "not_measured"


def test_a_workspace_with_mistakes_is_named(root: Path, tmp_path: Path) -> None:
    before = tmp_path / "before"
    write_workspace(before)
    path = root / "routes" / "support.toml"
    path.write_text(path.read_text().replace('provider = "simulated"', 'provider = "nobody"'))
    done = gate(root, before)
    assert done.returncode == 2, done.stdout
    assert "the candidate workspace could not be served" in done.stderr
    assert "steadyhand validate" in done.stderr


def test_few_equal_answers_pass_for_nothing(root: Path) -> None:
    done = gate(root, root)
    assert done.returncode == 11
    assert "undecided" in done.stdout
    assert "no drop would have been seen" in done.stdout or "would have been seen" in done.stdout


def test_nothing_of_the_workspace_is_touched(root: Path) -> None:
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    gate(root, root)
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


def test_a_commit_is_compared_with_though_the_workspace_is_a_part_of_it(
    root: Path, tmp_path: Path
) -> None:
    git(root.parent, "init", "-q", ".")
    git(root.parent, "add", "-A")
    git(root.parent, "commit", "-qm", "one")
    (root / "prompts" / "support.md").write_text("You are somebody else.\n")
    fetch("HEAD", root, tmp_path / "got")
    assert "PostgreSQL" in (tmp_path / "got" / "prompts" / "support.md").read_text()
    assert not (tmp_path / "got" / ".steadyhand").exists()


@pytest.mark.parametrize("stable", ["no-such-branch", "--output=x", "/nowhere"])
def test_what_is_no_workspace_says_so(root: Path, tmp_path: Path, stable: str) -> None:
    git(root.parent, "init", "-q", ".")
    with pytest.raises(NoSuchStable) as refused:
        fetch(stable, root, tmp_path / "got")
    assert refused.value.hint
    assert not (tmp_path / "x").exists()


def test_outside_a_repository_a_folder_is_wanted(root: Path, tmp_path: Path) -> None:
    with pytest.raises(NoSuchStable):
        fetch("HEAD", root, tmp_path / "got")


@pytest.mark.parametrize(
    ("text", "says"),
    [("route = ", "Invalid value"), (SUITE.replace("contains", "contians"), "contians")],
)
def test_a_broken_suite_is_named_with_its_place(root: Path, text: str, says: str) -> None:
    (root / "suites" / "support.toml").write_text(text)
    done = gate(root, root)
    assert done.returncode == 2
    assert "error[invalid_suite]" in done.stderr
    assert says in done.stderr
