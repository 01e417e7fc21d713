"""``steadyhand doctor`` finds what was broken, and says what mends it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from steadyhand.app.publish import publish
from steadyhand.app.state import State
from steadyhand.cli.main import run
from steadyhand.settings.load import load
from steadyhand.settings.scaffold import write_workspace

PROMPT = '+++\ndescription = "d"\nowner = "TODO"\n+++\nHi.\n'


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """Return a workspace that was served, and is not any more."""
    root = tmp_path / "demo"
    write_workspace(root)
    publish(load(root, {}, {}))
    publish(load(root, {}, {}))
    return root


def doctor(root: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, str]]]:
    """Return the exit code, and what was found besides that it is not served."""
    code = run(["doctor", "--workspace", str(root), "--json"])
    found = json.loads(capsys.readouterr().out)
    return code, [one for one in found if one["check"] != "serve"]


def test_a_whole_installation_is_found_well(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor(demo, capsys) == (0, [])


def test_a_workspace_that_was_never_served_is_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_workspace(tmp_path / "demo")
    assert run(["doctor", "--workspace", str(tmp_path / "demo")]) == 0
    printed = capsys.readouterr()
    assert (
        "it is not being served" in printed.out + printed.err or "nothing is wrong" in printed.err
    )


def test_that_it_is_not_served_is_a_warning(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--workspace", str(demo)]) == 0
    assert "steadyhand serve" in capsys.readouterr().out


def _mistake(root: Path) -> None:
    (root / "routes" / "support.toml").write_text("[floor\n")


def _prompt(root: Path) -> None:
    (root / "prompts" / "more.md").write_text(PROMPT)


def _newest(root: Path) -> None:
    (State(load(root, {}, {})).snapshots / "current.snapshot").write_bytes(b"torn")


def _both(root: Path) -> None:
    _newest(root)
    (State(load(root, {}, {})).snapshots / "previous.snapshot").write_bytes(b"torn")


def _secret(root: Path) -> None:
    State(load(root, {}, {})).snapshot_key.chmod(0o644)


def _registry(root: Path) -> None:
    State(load(root, {}, {})).registry.mkdir()


@pytest.mark.parametrize(
    ("break_it", "code", "check", "level", "mend"),
    [
        (_mistake, 1, "workspace", "error", ""),
        (_prompt, 0, "prompts", "warning", "name a person or a team"),
        (_newest, 0, "snapshot", "warning", "published again"),
        (_both, 1, "snapshot", "error", "steadyhand serve"),
        (_secret, 1, "secrets", "error", "chmod 600"),
        (_registry, 1, "repository", "error", "git clone --mirror"),
    ],
)
def test_what_was_broken_is_found_with_its_cure(
    demo: Path,
    capsys: pytest.CaptureFixture[str],
    break_it: Callable[[Path], None],
    code: int,
    check: str,
    level: str,
    mend: str,
) -> None:
    break_it(demo)
    found_code, found = doctor(demo, capsys)
    assert found_code == code
    one = next(one for one in found if one["check"] == check)
    assert one["level"] == level
    assert mend in one["mend"]
    assert one["works"]


def test_a_full_disk_is_found(
    demo: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steadyhand.app.doctor.LEAST_FREE_MB", 1 << 40)
    assert doctor(demo, capsys)[0] == 1
