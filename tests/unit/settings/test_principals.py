"""``principals.toml``: read, edited, and its mistakes."""

from pathlib import Path

import pytest

from steadyhand.settings.principals import (
    FILE,
    PrincipalExists,
    PrincipalMissing,
    create_principal,
    load_principals,
    revoke_principal,
)
from steadyhand.settings.problems import InvalidWorkspace
from steadyhand.tenancy.principals import Principal, identify

GOOD = f'[principals.ann]\nhash = "sha256:{"0" * 64}"\nroles = ["author"]\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a workspace without principals."""
    (tmp_path / "steadyhand.toml").write_text("")
    return tmp_path


def test_a_token_is_kept_as_a_hash_and_names_its_principal(root: Path) -> None:
    (root / FILE).write_text("# ours\n")
    token = create_principal(root, "alice", ["author", "operator"])
    create_principal(root, "a.b", ["reader"])
    text = (root / FILE).read_text()
    assert text.startswith("# ours\n")
    assert token not in text
    known = load_principals(root)
    assert identify(token, "", known) == Principal(
        "alice", "token", frozenset({"author", "operator"})
    )
    revoke_principal(root, "alice")
    assert load_principals(root).keys() == {"a.b"}
    revoke_principal(root, "a.b")
    assert load_principals(root) == {}


@pytest.mark.parametrize(
    ("name", "roles"), [("Alice", ["author"]), ("../a", ["author"]), ("alice", ["king"])]
)
def test_names_and_roles_are_checked(root: Path, name: str, roles: list[str]) -> None:
    with pytest.raises(InvalidWorkspace):
        create_principal(root, name, roles)
    assert not (root / FILE).exists()


def test_a_name_is_taken_once(root: Path) -> None:
    create_principal(root, "alice", ["author"])
    for name in ("alice", "bootstrap"):
        with pytest.raises(PrincipalExists):
            create_principal(root, name, ["author"])
    with pytest.raises(PrincipalMissing):
        revoke_principal(root, "bob")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[principals.ann]\n", "missing"),
        (GOOD.replace('"author"', '"king"'), "king"),
        (GOOD + GOOD.replace("ann", "ben"), "one token"),
        (GOOD.replace("ann", "bootstrap"), "own token"),
        ("principals = 3\n", "must hold tables"),
        ("[principals.ann\n", ""),
    ],
)
def test_mistakes_are_named(root: Path, text: str, said: str) -> None:
    (root / FILE).write_text(text)
    with pytest.raises(InvalidWorkspace) as caught:
        load_principals(root)
    assert said in "".join(problem.text() for problem in caught.value.problems)


def test_without_a_workspace_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(InvalidWorkspace):
        create_principal(tmp_path, "alice", ["author"])
    assert list(tmp_path.iterdir()) == []
