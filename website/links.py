"""Where a link of a page leads on the site: to another page, or to a source file elsewhere.

Pages are written for the Git host: their links are paths between files of the repository. On the
site some of those files are pages and the others are not there. This module decides which is
which, from paths alone.
"""

from dataclasses import dataclass
from posixpath import dirname, join, normpath, relpath

MIRRORED = {
    "ARCHITECTURE.md": "architecture.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "README.md": "index.md",
    "benchmarks/README.md": "benchmarks/index.md",
}
"""Pages outside ``docs/`` and their places on the site; the README's is the site's front page."""

RESULTS = "benchmarks/results/"
"""Every Markdown file below it is a page ``benchmarks/<name>`` of the site."""


@dataclass(frozen=True)
class Target:
    """What a link leads to: a place among the site's sources, or a path of the repository."""

    path: str
    is_page: bool


def site_path(path: str) -> str | None:
    """Return the place of the repository's file ``path`` among the site's sources, if any."""
    if path in MIRRORED:
        return MIRRORED[path]
    if path.startswith(RESULTS) and path.endswith(".md"):
        return "benchmarks/" + path.removeprefix(RESULTS)
    return path.removeprefix("docs/") if path.startswith("docs/") else None


def is_elsewhere(href: str) -> bool:
    """Tell whether ``href`` names no file of the repository: a URL, an anchor of the page."""
    return "://" in href or href.startswith(("#", "mailto:", "/")) or not href


def target(home: str, href: str) -> Target:
    """Return what ``href`` leads to, written in the repository's file ``home``."""
    path, mark, anchor = href.partition("#")
    file = normpath(join(dirname(home), path))
    place = site_path(file)
    return Target((place or file) + mark + anchor, is_page=place is not None)


def from_page(page: str, place: str) -> str:
    """Return the link to ``place`` as it is written in ``page``, both among the site's sources."""
    path, mark, anchor = place.partition("#")
    return relpath(path, dirname(page) or ".") + mark + anchor


def expanded(nav: list[object], pages: list[str]) -> list[object]:
    """Return ``nav`` with each ``folder/*`` replaced by the pages there that it does not name."""
    named = set(_leaves(nav))
    return _expanded(nav, [page for page in sorted(pages) if page not in named])


def _leaves(node: object) -> list[str]:
    if isinstance(node, str):
        return [node]
    children = node.values() if isinstance(node, dict) else node
    return [leaf for child in children for leaf in _leaves(child)]  # type: ignore[attr-defined]


def _expanded(nav: list[object], free: list[str]) -> list[object]:
    whole: list[object] = []
    for entry in nav:
        if isinstance(entry, str) and entry.endswith("/*"):
            whole += [page for page in free if dirname(page) == entry.removesuffix("/*")]
        elif isinstance(entry, dict):
            whole.append(
                {
                    title: _expanded(below, free) if isinstance(below, list) else below
                    for title, below in entry.items()
                }
            )
        else:
            whole.append(entry)
    return whole
