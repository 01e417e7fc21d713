"""The documents agree with the repository: links lead somewhere, tables are complete."""

import re
from pathlib import Path

import pytest

from tests.support.tree import ROOT, pyproject, repository_files

PAGES = [path for path in repository_files() if path.suffix == ".md"]
SHIPPED = ROOT / "src"  # pages that travel with a workspace: their links are relative to that
FENCE = re.compile(r"(?ms)^```.*?^```$")
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")
HEADING = re.compile(r"(?m)^#{1,6} (.+)$")


def links(page: Path) -> list[str]:
    """Return the targets of ``page``'s links that lead into the repository."""
    text = CODE.sub("``", FENCE.sub("", page.read_text(encoding="utf-8")))
    return [target for target in LINK.findall(text) if "://" not in target]


def anchors(page: Path) -> set[str]:
    """Return the anchors that headings of ``page`` make, as GitHub makes them."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in HEADING.findall(text)
    }


def broken(page: Path) -> list[str]:
    """Return the links of ``page`` that lead nowhere."""
    found = []
    for target in links(page):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            found.append(target)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    if SHIPPED not in page.parents:
        assert broken(page) == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    open_pages = [ROOT / "README.md"]
    while open_pages:
        page = open_pages.pop()
        reached.add(page)
        for target in links(page):
            file = (page.parent / target.partition("#")[0]).resolve()
            if file.suffix == ".md" and file not in reached:
                open_pages.append(file)
    unlinked = {page for page in PAGES if ROOT / "docs" in page.parents} - reached
    assert {str(page.relative_to(ROOT)) for page in unlinked} <= {"docs/decisions/template.md"}


def test_every_dependency_has_its_reason() -> None:
    record = next((ROOT / "docs" / "decisions").glob("0014-*.md")).read_text(encoding="utf-8")
    explained = re.findall(r"(?m)^\| ([a-z0-9-]+) \|", record)
    dependencies = pyproject()["project"]["dependencies"]
    wanted = [re.split(r"[<>=~!\[ ;]", entry)[0] for entry in dependencies]
    assert sorted(explained) == sorted([*wanted, "part"]), "explain it in the record, or drop it"


def test_the_files_that_the_architecture_names_exist() -> None:
    """Of the tables of steps and places; paths there are relative to the package."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    places = text.partition("## Where is …?")[2].partition("\n## ")[0]
    named = [
        name
        for row in re.findall(r"(?m)^\| .* \| (.+) \|$", places)
        for name in re.findall(r"`([a-z_]+/[\w/.]+)`", row)
    ]
    assert len(named) > 20
    roots = (ROOT / "src" / "steadyhand", ROOT)
    assert [name for name in named if not any((root / name).exists() for root in roots)] == []
