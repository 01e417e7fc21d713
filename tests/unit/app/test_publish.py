"""What counts as a change of the workspace."""

import os
from pathlib import Path

from steadyhand.app.publish import Fingerprint


def touch(path: Path, text: str, at_s: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (at_s, at_s))


def test_a_changed_added_or_removed_file_is_seen_once(tmp_path: Path) -> None:
    touch(tmp_path / "steadyhand.toml", "", 1)
    touch(tmp_path / "routes" / "a.toml", "x", 1)
    fingerprint = Fingerprint(tmp_path, tmp_path / "current.snapshot")
    assert not fingerprint.changed()
    touch(tmp_path / "routes" / "a.toml", "y", 2)
    assert fingerprint.changed()
    assert not fingerprint.changed()
    touch(tmp_path / "prompts" / "p.md", "text", 2)
    assert fingerprint.changed()
    (tmp_path / "prompts" / "p.md").unlink()
    assert fingerprint.changed()
    assert not fingerprint.changed()


def test_files_that_shape_no_answer_do_not_count(tmp_path: Path) -> None:
    touch(tmp_path / "steadyhand.toml", "", 1)
    fingerprint = Fingerprint(tmp_path, tmp_path / "current.snapshot")
    touch(tmp_path / ".steadyhand" / "steadyhand.db", "rows", 2)
    touch(tmp_path / "README.md", "words", 2)
    assert not fingerprint.changed()


def test_a_published_snapshot_that_vanishes_is_a_change_once(tmp_path: Path) -> None:
    published = tmp_path / "current.snapshot"
    published.write_text("signed")
    fingerprint = Fingerprint(tmp_path, published)
    published.write_text("signed again")
    assert not fingerprint.changed()
    published.unlink()
    assert [fingerprint.changed(), fingerprint.changed()] == [True, False]
    published.write_text("signed")
    assert not fingerprint.changed()
