"""The site builds without a warning, asks nobody but its host, and can be read by everyone."""

import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.support.built_site import Built, build, read_page
from tests.support.tree import ROOT

NEVER_ASKED = {
    "www.w3.org": "the name of SVG's namespace",
    "unpkg.com": "the theme would fetch mermaid for a diagram, and a polyfill for old browsers",
    "api.github.com": "the theme would ask for the stars of a repository in its header",
    "lunrjs.com": "a comment",
    "tartarus.org": "a comment",
    "github.com": "a comment",
    "clipboardjs.com": "a comment",
    "fontawesome.com": "a comment",
    "bit.ly": "the text of an error",
}
"""Every host that the theme's own scripts name, and why no page of ours makes them ask it."""
TRIGGERS = {"mermaid", "md-source"}
"""Classes of elements that would make the theme's scripts ask one of those hosts."""
ADDRESS = re.compile(r"(?:https?:)?//([a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,})(?=[/\"'`\s:)]|$)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    built = build(target)
    assert built.returncode == 0, built.stdout + built.stderr
    return target


@pytest.fixture(scope="module")
def pages(site: Path) -> list[Built]:
    return [read_page(path) for path in sorted(site.rglob("*.html"))]


def test_every_page_of_the_repository_is_on_the_site(site: Path) -> None:
    wanted = [path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")]
    places = [
        (path.parent if path.name in ("index.md", "README.md") else path.with_suffix(""))
        for path in wanted
    ]
    mirrored = [Path("architecture"), Path("contributing"), Path("changelog"), Path("benchmarks")]
    missing = [p for p in places + mirrored if not (site / p / "index.html").exists()]
    assert missing == []
    assert len(places) > 30


def test_no_page_loads_anything_from_another_host(pages: list[Built], site: Path) -> None:
    outside = [
        f"{page.path.relative_to(site)}: {address}"
        for page in pages
        for address in page.loads
        if re.match(r"(?i)\s*([a-z][a-z0-9+.-]*:|//)", address) and not address.startswith("data:")
    ]
    assert outside == []
    assert sum(len(page.loads) for page in pages) > len(pages)


def test_every_page_forbids_it_too(pages: list[Built], site: Path) -> None:
    for page in pages:
        rules = [rule.split() for rule in page.policy.split(";")]
        allowed = {source for _, *sources in rules for source in sources}
        assert ["default-src", "'self'"] in rules, page.path
        assert allowed <= {"'self'", "'none'", "'unsafe-inline'", "data:"}, page.path
        text = page.path.read_text(encoding="utf-8")
        assert text.index("Content-Security-Policy") < text.index("<link"), page.path


def test_style_sheets_stay_here(site: Path) -> None:
    sheets = sorted(site.rglob("*.css"))
    assert sheets
    for sheet in sheets:
        text = sheet.read_text(encoding="utf-8")
        assert "@import" not in text, sheet
        for address in re.findall(r"url\(\s*['\"]?([^'\")]*)", text):
            assert address.startswith("data:") or (sheet.parent / address).exists(), address


def test_scripts_name_no_host_that_is_not_accounted_for(site: Path, pages: list[Built]) -> None:
    named = {
        host
        for path in [*site.rglob("*.js"), *site.rglob("*.html")]
        for script in (
            [path.read_text(encoding="utf-8")]
            if path.suffix == ".js"
            else re.findall(r"(?s)<script[^>]*>(.*?)</script>", path.read_text(encoding="utf-8"))
        )
        for host in ADDRESS.findall(script)
    }
    assert named <= NEVER_ASKED.keys(), "a script of the theme asks somebody new: look at it"
    triggered = [page.path for page in pages if page.classes & TRIGGERS]
    assert triggered == []


def test_pages_can_be_read_by_everyone(pages: list[Built], site: Path) -> None:
    for page in pages:
        name = str(page.path.relative_to(site))
        assert page.language == "en", name
        assert page.headings.count("h1") == 1, name
        assert [alt for alt in page.images if not (alt or "").strip()] == [], f"{name}: alt texts"
        levels = [int(heading[1]) for heading in page.headings]
        jumps = [pair for pair in pairwise(levels) if pair[1] - pair[0] > 1]
        assert jumps == [], f"{name}: a heading's level is left out"
        assert len(page.ids) == len(set(page.ids)), f"{name}: an id twice"


def test_links_between_pages_lead_somewhere(pages: list[Built], site: Path) -> None:
    """Mkdocs checks what it resolves; this checks what came out, anchors included."""
    ids = {page.path: set(page.ids) for page in pages}
    broken = []
    for page in pages:
        if page.path.name == "404.html":
            continue
        for link in page.links:
            if re.match(r"(?i)[a-z][a-z0-9+.-]*:", link):
                continue
            path, _, anchor = link.partition("#")
            file = (page.path.parent / unquote(path)).resolve() if path else page.path
            file = file / "index.html" if file.is_dir() else file
            if not file.exists() or (anchor and unquote(anchor) not in ids.get(file, set())):
                broken.append(f"{page.path.relative_to(site)}: {link}")
    assert broken == []


def test_links_to_source_files_follow_the_repository(tmp_path: Path, pages: list[Built]) -> None:
    built = build(tmp_path, DOCS_REPOSITORY_URL="https://example.org/us/steadyhand/blob/main/")
    assert built.returncode == 0, built.stdout + built.stderr
    page = read_page(tmp_path / "operations" / "failure-modes" / "index.html")
    where = "https://example.org/us/steadyhand/blob/main/tests/fault/records/test_disk_full.py"
    assert where in page.links
    without = [link for page in pages for link in page.links if link.endswith(".py")]
    assert without == [], "without an address they are names, not links"
