"""The site's changelog has what is not released yet."""

from pathlib import Path

from website.news import MARK, with_fragments


def test_fragments_stand_above_the_releases_by_kind(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("not a fragment")
    (tmp_path / "+b.added.md").write_text("B\nis new.\n")
    (tmp_path / "+a.added.md").write_text("A is new.")
    (tmp_path / "+c.fixed.md").write_text("C works.")
    text = with_fragments(f"# Changelog\n\n{MARK}\n## 1.0\n", tmp_path)
    assert text == (
        f"# Changelog\n\n{MARK}\n\n## Not released yet\n\n### Added\n\n- A is new.\n- B is new.\n\n"
        "### Fixed\n\n- C works.\n\n## 1.0\n"
    )


def test_without_fragments_there_are_only_releases(tmp_path: Path) -> None:
    assert "Not released" not in with_fragments(f"# Changelog\n{MARK}\n## 1.0\n", tmp_path)
