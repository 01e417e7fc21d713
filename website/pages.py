"""The hook of mkdocs.yml: pages from outside ``docs/``, and links that lead out of the site.

What it decides is in ``links.py`` and ``news.py``; this file only acts on mkdocs. It is all that a
move to another generator would have to write again.
"""

import re
import shutil
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from website.links import MIRRORED, RESULTS, expanded, from_page, is_elsewhere, site_path, target
from website.news import with_fragments

ROOT = Path(__file__).resolve().parents[1]
BETWEEN_WORDS = re.compile(r"(?<=[_/={.,:])(?=\w)")
UNLISTED = {"decisions/template.md"}

homes: dict[str, str] = {}
"""For each page of the site, the file of the repository that it is written in."""


class Links(Treeprocessor):  # type: ignore[misc]  # mkdocs' environment is not that of the type checker
    """Rewrites the links of the page that is being rendered, before mkdocs checks them."""

    def __init__(self, repository_url: str) -> None:
        super().__init__()
        self.repository_url = repository_url.rstrip("/")
        self.page = ""

    def run(self, root: Element) -> None:
        """See :class:`Treeprocessor`."""
        for cell in root.iter("td"):
            for code in cell.iter("code"):
                let_break(code)
        for element in root.iter():
            name = {"a": "href", "img": "src"}.get(element.tag)
            href = element.get(name) if name else None
            if name and href is not None and not is_elsewhere(href):
                self._rewrite(element, name, href)

    def _rewrite(self, element: Element, name: str, href: str) -> None:
        to = target(homes.get(self.page, f"docs/{self.page}"), href)
        if to.is_page:
            element.set(name, from_page(self.page, to.path))
        elif not (ROOT / to.path.partition("#")[0]).exists():
            raise FileNotFoundError(f"{self.page}: {href} leads to no file of the repository")
        elif self.repository_url:
            element.set(name, f"{self.repository_url}/{to.path}")
        else:
            element.tag = "span"
            element.attrib = {"class": "source", "title": to.path}


def let_break(code: Element) -> None:
    """Let a name in a table break where its words meet, so that no narrow column cuts a word."""
    first, *rest = BETWEEN_WORDS.split(code.text or "")
    code.text = AtomicString(first)
    for part in rest:
        SubElement(code, "wbr").tail = AtomicString(part)


class LinksExtension(Extension):  # type: ignore[misc]  # as above
    """Brings :class:`Links` into Python-Markdown."""

    def __init__(self, links: Links) -> None:
        super().__init__()
        self.links = links

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802  # Python-Markdown's name
        """Come after the parsing of inline text (20), before mkdocs' check of links (0)."""
        md.treeprocessors.register(self.links, "repository_links", 5)


links: list[Links] = []


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Register the rewriting of links."""
    links[:] = [Links(config.extra.get("repository_url") or "")]
    config.markdown_extensions = [*config.markdown_extensions, LinksExtension(links[0])]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that live outside ``docs/``, and complete the navigation."""
    results = sorted(str(path.relative_to(ROOT)) for path in (ROOT / RESULTS).glob("*.md"))
    for path in [*MIRRORED, *results]:
        place = site_path(path)
        if path == "README.md" or place is None:
            continue
        text = (ROOT / path).read_text(encoding="utf-8")
        if path == "CHANGELOG.md":
            text = with_fragments(text, ROOT / "changelog.d")
        homes[place] = path
        files.append(File.generated(config, place, content=text))
    pages = [file.src_uri for file in files.documentation_pages() if file.src_uri not in UNLISTED]
    config.nav = expanded(config.nav or [], pages)
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Remember which page is rendered next."""
    links[0].page = page.file.src_uri
    return markdown


def on_post_build(config: MkDocsConfig) -> None:
    """Leave out what an English site never loads: other languages' stemmers, and source maps."""
    site = Path(config.site_dir)
    shutil.rmtree(site / "assets" / "javascripts" / "lunr")
    for path in site.rglob("*.map"):
        path.unlink()
