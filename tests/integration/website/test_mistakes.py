"""A page that leads nowhere stops the build of the site."""

import shutil
from pathlib import Path

import pytest

from tests.support.built_site import build
from tests.support.tree import ROOT

MISTAKES = {
    "a page that is not there": ("[x](no-such-page.md)", "no-such-page.md"),
    "an anchor that is not there": ("[x](index.md#no-such-section)", "no-such-section"),
    "a source file that is not there": ("[x](../src/no_such_file.py)", "no_such_file.py"),
    "an address from the root": ("[x](/operations/limits)", "/operations/limits"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_link_that_leads_nowhere_stops_the_build(tmp_path: Path, mistake: str) -> None:
    link, named = MISTAKES[mistake]
    (tmp_path / "docs").mkdir()
    (tmp_path / "changelog.d").mkdir()
    (tmp_path / "benchmarks").mkdir()
    for name in ("mkdocs.yml", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        # A site of one page: its navigation, and whole pages that link to nothing.
        start, _, rest = text.partition("\nnav:\n")
        small = f"{start}\nnav:\n  - index.md\n{rest[rest.index('hooks:') :]}" if rest else "# A\n"
        (tmp_path / name).write_text(small, encoding="utf-8")
    (tmp_path / "benchmarks" / "README.md").write_text("# B\n", encoding="utf-8")
    with (tmp_path / "mkdocs.yml").open("a", encoding="utf-8") as config:
        config.write("not_in_nav: |\n  /*\n")
    shutil.copytree(ROOT / "website", tmp_path / "website")
    page = tmp_path / "docs" / "index.md"
    page.write_text("# Home\n", encoding="utf-8")
    if mistake == next(iter(MISTAKES)):
        whole = build(tmp_path / "site", config=tmp_path / "mkdocs.yml")
        assert whole.returncode == 0, whole.stdout + whole.stderr
    page.write_text(f"# Home\n\n{link}\n", encoding="utf-8")
    broken = build(tmp_path / "site", config=tmp_path / "mkdocs.yml")
    assert broken.returncode != 0
    assert named in broken.stdout + broken.stderr
