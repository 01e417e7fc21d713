import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from steadyhand.control.auth import load_or_create_token
from steadyhand.core.errors import SecretUnavailable
from steadyhand.tenancy.principals import BOOTSTRAP, identify, token_hash


def test_a_token_is_made_once_for_this_user_only(tmp_path: Path) -> None:
    path = tmp_path / "state" / "control.token"
    token = load_or_create_token(path)
    assert load_or_create_token(path) == token
    assert token.startswith("shc_")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["control.token"]


def test_those_who_start_together_agree(tmp_path: Path) -> None:
    path = tmp_path / "control.token"
    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(lambda _: load_or_create_token(path), range(8)))
    assert len(tokens) == 1


def test_two_workspaces_have_different_tokens(tmp_path: Path) -> None:
    assert load_or_create_token(tmp_path / "a") != load_or_create_token(tmp_path / "b")


def test_a_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "control.token"
    load_or_create_token(path)
    path.chmod(0o644)
    with pytest.raises(SecretUnavailable, match="other users"):
        load_or_create_token(path)


def test_an_empty_token_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "control.token"
    path.touch(0o600)
    with pytest.raises(SecretUnavailable, match="empty"):
        load_or_create_token(path)


def test_a_token_is_that_of_its_hash_and_of_no_other() -> None:
    one = token_hash("shc_one")
    assert identify("shc_one", one, {}) == BOOTSTRAP
    assert identify("shc_two", one, {}) is None
    assert identify("", one, {}) is None
    assert identify("shc_one", "", {}) is None
