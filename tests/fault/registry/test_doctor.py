"""What the doctor finds in registries that were really damaged."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from steadyhand.registry import bundle, doctor
from steadyhand.registry.doctor import examine
from steadyhand.registry.git import packing
from steadyhand.registry.git.store import GitStore, open_registry
from steadyhand.registry.ports import Author, Change
from tests.support.commands import steadyhand

FILES = {"routes/support.toml": b"slo = 'instant'\n"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a registry with a release."""
    store = open_registry(tmp_path / "registry.git", clock=lambda: 1.7e9)
    manifest = bundle.manifest_of("support", FILES)
    store.commit(bundle.changes(manifest, FILES), message="m", author=Author("alice"))
    store.history("x")
    store.close()
    return tmp_path / "registry.git"


def again(path: Path) -> GitStore:
    """Open it."""
    return open_registry(path, clock=lambda: 1.7e9)


def put(path: Path, name: str, content: bytes) -> None:
    """Put a file behind the rules' back."""
    store = again(path)
    store.commit([Change(name, content)], message="m", author=Author("mallory"))
    store.close()


def damage_release(path: Path) -> None:
    digest = bundle.digest_of(bundle.manifest_of("support", FILES))
    put(path, f"{bundle.folder('support', digest)}/files/routes/support.toml", b"x")


def truncate_pack(path: Path) -> None:
    store = again(path)
    packing.pack(store.repository, path)
    store.close()
    (pack,) = (path / "objects" / "pack").glob("*.pack")
    pack.chmod(0o600)
    os.truncate(pack, pack.stat().st_size // 2)


def remove_an_old_version(path: Path) -> None:
    """Remove what only a roll-back would ask for."""
    put(path, "channels/x", b"old")
    store = again(path)
    old = store.get("channels/x").blob
    store.close()
    store = again(path)
    store.commit([Change("channels/x", None)], message="m", author=Author("a"))
    store.close()
    (path / "objects" / old[:2] / old[2:]).unlink()


def remove_index(path: Path) -> None:
    for file in path.glob("steadyhand-index.db*"):
        file.unlink()


DAMAGES: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "locks": (lambda path: (path / "refs/heads/main.lock").touch(), "error", "rm "),
    "objects": (truncate_pack, "error", "git clone --mirror"),
    "old": (remove_an_old_version, "error", "git clone --mirror"),
    "releases": (damage_release, "error", "git revert"),
    "channels": (
        lambda path: put(path, "channels/production/support.json", b"{"),
        "error",
        "git revert",
    ),
    "revocations": (
        lambda path: put(path, f"revocations/{'0' * 64}.json", b"{"),
        "error",
        "git revert",
    ),
    "environments": (lambda path: put(path, "environments.toml", b"x"), "error", "mend it"),
    "index": (remove_index, "warning", "registry rebuild"),
    "permissions": (lambda path: path.chmod(0o777), "warning", "chmod 700"),
    "repository": (lambda path: (path / "HEAD").unlink(), "error", "restore"),
}


def test_a_whole_registry_has_nothing_wrong_and_none_at_all_neither(path: Path) -> None:
    assert examine(path) == []
    assert examine(path.parent / "nowhere") == []


@pytest.mark.parametrize("check", DAMAGES)
def test_each_damage_is_named_with_what_mends_it(path: Path, check: str) -> None:
    damage, level, mend = DAMAGES[check]
    damage(path)
    check = {"old": "objects"}.get(check, check)
    found = {one.check: one for one in examine(path)}
    assert found.keys() == {check}
    assert found[check].level == level
    assert mend in found[check].mend
    assert found[check].works


def test_a_disk_that_is_nearly_full_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LEAST_FREE_MB", 1 << 40)
    assert [one.check for one in examine(path)] == ["space"]


def test_many_packs_are_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "MOST_PACKS", 0)
    store = again(path)
    packing.pack(store.repository, path)
    store.close()
    assert [one.check for one in examine(path)] == ["packs"]


def test_the_command_says_it_and_exits_with_1(path: Path) -> None:
    whole = steadyhand("registry", "doctor", "--at", str(path))
    assert (whole.returncode, whole.stdout) == (0, "")
    assert "nothing is wrong" in whole.stderr
    damage_release(path)
    found = steadyhand("registry", "doctor", "--at", str(path), "--json")
    assert found.returncode == 1
    assert json.loads(found.stdout)[0]["check"] == "releases"


def test_the_index_is_made_again_by_command(path: Path) -> None:
    remove_index(path)
    made = steadyhand("registry", "rebuild", "--at", str(path), "--json")
    assert json.loads(made.stdout) == {"commits": 1, "versions": 2}
    assert examine(path) == []
