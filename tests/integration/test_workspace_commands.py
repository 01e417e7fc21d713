"""From an empty directory to a served snapshot, with the commands that people type."""

import gzip
import json
import re
import stat
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from steadyhand.cli import key, workspace
from steadyhand.settings.load import load
from steadyhand.settings.problems import InvalidWorkspace
from steadyhand.settings.scaffold import DirectoryNotEmpty, write_workspace
from steadyhand.snapshot.compile import compile_snapshot
from steadyhand.snapshot.sign import open_key
from steadyhand.snapshot.store import load as load_snapshot
from steadyhand.snapshot.store import next_version, publish
from steadyhand.tenancy.keyfile import KeyExists, KeyMissing
from steadyhand.tenancy.keys import hash_key
from tests.support.tree import PACKAGE
from tests.support.workspaces import write

runner = CliRunner()
DEMO = PACKAGE / "settings" / "demo"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo workspace, for tests that only read it."""
    directory = tmp_path_factory.mktemp("made") / "demo"
    assert runner.invoke(workspace.init, [str(directory)]).exit_code == 0
    return directory


def test_from_init_to_a_loaded_snapshot(demo: Path) -> None:
    checked = runner.invoke(workspace.validate, ["--workspace", str(demo)])
    assert (checked.exit_code, checked.stderr) == (0, "no problems\n")

    settings = load(demo, {}, {})
    signing_key = open_key(settings.state_dir / "snapshot.key")
    directory = settings.state_dir / "snapshot"
    compiled = compile_snapshot(
        keys=settings.keys,
        routes=settings.routes,
        prompts=settings.compiled_prompts,
        providers=settings.providers,
        slo_classes=settings.slo_classes,
        now_us=1,
        version=next_version(directory, signing_key, now_us=1),
    )
    publish(compiled, directory, signing_key)

    served = load_snapshot(directory, signing_key).snapshot
    assert served == compiled
    assert sorted(served.routes) == ["classify", "strict", "support"]
    token = (demo / ".steadyhand" / "demo.key").read_bytes().strip()
    assert served.keys[hash_key(token)].routes == ("*",)


def test_the_support_route_carries_the_manual_in_its_prompt(demo: Path) -> None:
    settings = load(demo, {}, {})
    prompt = settings.prompts["support"]
    text = prompt.prompt.plain_text
    titles = ("Vacuuming Basics", "Handling Large Databases", "Routine Reindexing")
    assert all(title in text for title in (*titles, "Authentication Problems"))
    assert len(prompt.passages) == 4
    assert len(text) < 8_000
    rungs = settings.routes["support"].rungs
    assert [rung.own_keys["model"] for rung in rungs if rung.kind == "live"] == ["steady", "quote"]
    floors = {name: route.floor.kind for name, route in settings.routes.items()}
    assert floors == {"support": "template", "classify": "schema", "strict": "error"}


def test_the_corpus_is_whole_and_its_notice_travels_with_it(demo: Path) -> None:
    folder = demo / "knowledge" / "postgresql-15"
    packaged = DEMO / "knowledge" / "postgresql-15"
    text = (folder / "sections.jsonl").read_bytes()
    assert text == gzip.decompress((packaged / "sections.jsonl.gz").read_bytes())
    sections = [json.loads(line) for line in text.decode().splitlines()]
    assert len({section["_id"] for section in sections}) == len(sections) == 3_423
    assert (folder / "LICENSE").read_bytes() == (packaged / "LICENSE").read_bytes()
    notice = (folder / "LICENSE").read_text(encoding="utf-8")
    assert "PostgreSQL Global Development Group" in notice
    assert "Permission to use, copy, modify, and distribute" in notice
    assert (folder / "SOURCE.md").is_file()


def test_secrets_are_for_this_user_and_not_for_git(demo: Path) -> None:
    state = demo / ".steadyhand"
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert stat.S_IMODE((state / "demo.key").stat().st_mode) == 0o600
    assert ".steadyhand/" in (demo / ".gitignore").read_text(encoding="utf-8").splitlines()
    token = (state / "demo.key").read_text(encoding="utf-8").strip()
    assert re.fullmatch(r"sk-sh-[A-Za-z0-9_-]{43}", token)
    visible = [path for path in demo.rglob("*") if path.is_file() and state not in path.parents]
    assert [path for path in visible if token.encode() in path.read_bytes()] == []


def test_the_readme_of_the_workspace_is_short(demo: Path) -> None:
    assert len((demo / "README.md").read_text(encoding="utf-8").splitlines()) <= 40


def test_what_the_comments_of_the_demo_offer_is_valid(demo: Path, tmp_path: Path) -> None:
    """People take the # away; what appears must be settings that exist."""
    text = (demo / "steadyhand.toml").read_text(encoding="utf-8")
    offered = re.sub(r"(?m)^# (\[|\w+ = )", r"\1", text)
    assert {"openai", "simulated"} <= set(tomllib.loads(offered)["providers"])
    files: dict[str, str | None] = {
        "steadyhand.toml": offered + _near(),
        "routes/support.toml": '[floor]\nkind = "error"\n',
    }
    settings = load(write(tmp_path, files), {}, {})
    assert settings.providers["openai"].kind == "openai"


def _near() -> str:
    return '\n[providers.near]\nkind = "simulated"\n'


def test_a_directory_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    result = runner.invoke(workspace.init, [str(tmp_path)])
    assert isinstance(result.exception, DirectoryNotEmpty)
    assert "--force" in result.exception.hint
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_is_no_place_for_a_workspace(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DirectoryNotEmpty, match="name a directory"):
        write_workspace(tmp_path / "file", overwrite=True)


def test_force_replaces_the_demos_files_and_leaves_others(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    first = write_workspace(directory)
    token = first.key_file.read_bytes()
    (directory / "mine.txt").touch()
    (directory / "routes" / "strict.toml").write_text("broken", encoding="utf-8")
    result = runner.invoke(workspace.init, [str(directory), "--force", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["written"] == list(first.written)
    assert (directory / "mine.txt").is_file()
    assert first.key_file.read_bytes() != token
    assert load(directory, {}, {}).routes["strict"].floor.kind == "error"


def test_two_workspaces_differ_in_nothing_but_their_key(tmp_path: Path) -> None:
    one, two = write_workspace(tmp_path / "one"), write_workspace(tmp_path / "two")
    differ = {
        name
        for name in one.written
        if (one.directory / name).read_bytes() != (two.directory / name).read_bytes()
    }
    assert differ == {"keys.toml"}


def test_validate_prints_every_problem_and_fails(tmp_path: Path) -> None:
    write(tmp_path, {"steadyhand.toml": '[sever]\n\n[providers.near]\nkind = "simulatd"\n'})
    result = runner.invoke(workspace.validate, ["--workspace", str(tmp_path)])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == (
        "error[E0104]: unknown section 'sever'\n"
        "  --> steadyhand.toml:1  sever\n"
        "hint: did you mean 'server'?   explain: steadyhand explain E0104\n\n"
        "error[E0201]: no steadyhand.providers kind 'simulatd'\n"
        '  --> steadyhand.toml:4  providers.near.kind = "simulatd"\n'
        "hint: did you mean 'simulated'?   explain: steadyhand explain E0201\n\n"
        "2 problems\n"
    )


def test_validate_speaks_json(tmp_path: Path) -> None:
    result = runner.invoke(workspace.validate, ["--workspace", str(tmp_path), "--json"])
    assert result.exit_code == 1
    [problem] = json.loads(result.stdout)["problems"]
    assert problem["code"] == "E0101"
    assert set(problem) == {"code", "path", "key", "value", "reason", "nearest", "hint"}


def test_a_key_is_shown_once_works_and_can_be_revoked(tmp_path: Path) -> None:
    write(tmp_path)
    at = ["--workspace", str(tmp_path)]
    made = runner.invoke(
        key.app, ["create", "ci", "--tenant", "build", "--route", "ask", "--model", "near/*", *at]
    )
    assert made.exit_code == 0
    token = made.stdout.strip()
    found = load(tmp_path, {}, {}).keys["ci"]
    assert found.hash == f"sha256:{hash_key(token.encode())}"
    assert (found.tenant, found.channel, found.routes) == ("build", "dev", ("ask",))
    assert token not in (tmp_path / "keys.toml").read_text(encoding="utf-8")

    listed = runner.invoke(key.app, ["list", *at])
    assert listed.stdout == "web\tshop\tdev\task near/*\nci\tbuild\tdev\task near/*\n"
    rows = json.loads(runner.invoke(key.app, ["list", "--json", *at]).stdout)
    assert [row["name"] for row in rows] == ["web", "ci"]
    assert "hash" not in rows[0]

    assert runner.invoke(key.app, ["revoke", "ci", *at]).exit_code == 0
    assert list(load(tmp_path, {}, {}).keys) == ["web"]


def test_a_key_can_be_made_where_there_was_none(tmp_path: Path) -> None:
    write(tmp_path, {"keys.toml": None})
    arguments = ["create", "ci", "--tenant", "t", "--json", "--workspace", str(tmp_path)]
    made = json.loads(runner.invoke(key.app, arguments).stdout)
    assert made["name"] == "ci"
    assert made["key"].startswith("sk-sh-")
    assert list(load(tmp_path, {}, {}).keys) == ["ci"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ci", "--tenant", "t", "--route", "aks"], "did you mean 'ask'?"),
        (["ci", "--tenant", "t", "--model", "nea/*"], "did you mean 'near'?"),
        (["ci", "--tenant", "t", "--model", "near"], "should match pattern"),
        (["Big Name", "--tenant", "t"], "a name that is not allowed"),
        (["ci", "--tenant", "Some One"], "should match pattern"),
    ],
)
def test_a_key_that_could_not_work_is_not_made(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    write(tmp_path)
    before = (tmp_path / "keys.toml").read_bytes()
    result = runner.invoke(key.app, ["create", *arguments, "--workspace", str(tmp_path)])
    assert isinstance(result.exception, InvalidWorkspace)
    assert said in str(result.exception)
    assert (tmp_path / "keys.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["create", "web", "--tenant", "t"], KeyExists),
        (["revoke", "wbe"], KeyMissing),
    ],
)
def test_a_taken_or_absent_name_is_refused(
    tmp_path: Path, arguments: list[str], error: type[Exception]
) -> None:
    write(tmp_path)
    result = runner.invoke(key.app, [*arguments, "--workspace", str(tmp_path)])
    assert type(result.exception) is error


@pytest.mark.parametrize(
    "arguments", [["list"], ["revoke", "web"], ["create", "x", "--tenant", "t"]]
)
def test_keys_need_a_workspace(tmp_path: Path, arguments: list[str]) -> None:
    result = runner.invoke(key.app, [*arguments, "--workspace", str(tmp_path)])
    assert isinstance(result.exception, InvalidWorkspace)
    assert "not a workspace" in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def test_a_key_can_be_revoked_in_a_workspace_with_other_mistakes(tmp_path: Path) -> None:
    write(tmp_path, {"routes/ask.toml": "broken"})
    assert runner.invoke(key.app, ["revoke", "web", "--workspace", str(tmp_path)]).exit_code == 0
    assert "[keys.web]" not in (tmp_path / "keys.toml").read_text(encoding="utf-8")
