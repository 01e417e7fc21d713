"""The documentation site as a browser sees it: built by mkdocs, read by an HTML parser."""

import os
import subprocess
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from typing_extensions import override

from tests.support.tree import ROOT

PYTHON = ROOT / ".venv-docs" / "bin" / "python"

HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
LOADING = {"action", "background", "data", "formaction", "poster", "src", "srcset"}
"""Attributes whose address a browser asks for by itself; ``href`` only in a ``link``."""
ONLY_NAMED = {"canonical", "next", "prev", "alternate", "author", "license"}
"""Relations of a ``link`` that no browser loads."""


@dataclass
class Built:
    """One page: what it is made of, and what it makes a browser load."""

    path: Path
    language: str = ""
    policy: str = ""
    headings: list[str] = field(default_factory=list)
    images: list[str | None] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    classes: set[str] = field(default_factory=set)


class Reader(HTMLParser):
    """Fills a :class:`Built`."""

    def __init__(self, page: Built) -> None:
        super().__init__()
        self.page = page

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what matters of one element."""
        have = {name: value or "" for name, value in attrs}
        page = self.page
        page.classes |= set(have.get("class", "").split())
        page.ids += [have["id"]] if have.get("id") else []
        page.loads += loaded(tag, have)
        if tag in HEADINGS:
            page.headings.append(tag)
        match tag:
            case "html":
                page.language = have.get("lang", "")
            case "img":
                page.images.append(have.get("alt"))
            case "a" if "href" in have:
                page.links.append(have["href"])
            case "meta" if have.get("http-equiv") == "Content-Security-Policy":
                page.policy = have.get("content", "")


def loaded(tag: str, have: dict[str, str]) -> list[str]:
    """Return the addresses that one element makes a browser ask for."""
    found = [have[name] for name in sorted(LOADING & have.keys())]
    if tag == "link" and have.get("rel") not in ONLY_NAMED:
        found.append(have.get("href", ""))
    style = have.get("style", "")
    return [*found, style] if "url(" in style else found


def read_page(path: Path) -> Built:
    """Return what one built page is made of."""
    page = Built(path)
    Reader(page).feed(path.read_text(encoding="utf-8"))
    return page


def build(
    target: Path, *, config: Path = ROOT / "mkdocs.yml", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Build the site of ``config`` into ``target``; the caller judges the exit code."""
    assert PYTHON.exists(), "the site's environment is missing: make docs-tools"
    return subprocess.run(
        [PYTHON, "-m", "mkdocs", "build", "--strict", "--site-dir", target, "-f", config],
        cwd=config.parent,
        env={
            **{name: text for name, text in os.environ.items() if not name.startswith("DOCS_")},
            "NO_MKDOCS_2_WARNING": "1",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
