from pathlib import Path

import pytest

from steadyhand.storage.files import create_secret, replace_file


def test_a_file_is_replaced_whole_with_the_mode_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "f"
    replace_file(path, b"one", mode=0o600)
    replace_file(path, b"two", mode=0o640)
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_content_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "f"
    (path / "in-the-way").mkdir(parents=True)  # a directory cannot be replaced by a file
    with pytest.raises(IsADirectoryError):
        replace_file(path, b"new")
    assert list(tmp_path.iterdir()) == [path]


def test_a_secret_is_created_once(tmp_path: Path) -> None:
    path = tmp_path / "s"
    assert create_secret(path, b"one") is True
    assert create_secret(path, b"two") is False
    assert path.read_bytes() == b"one"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
