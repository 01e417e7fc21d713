"""No file names one machine's folders or a package index: a clone works anywhere, or is wrong."""

import json
import re

import pytest

from tests.support.tree import ROOT, repository_files

FORBIDDEN = {
    "a folder of one machine": re.compile(rb"(?<![\w.~$}/-])/(?:root|work|Users|home/\w+)/"),
    "an index of packages": re.compile(
        rb"\b(?:pypi\.org|pythonhosted\.org|registry\.npmjs\.org|registry\.yarnpkg\.com)\b"
    ),
    "an option that names an index": re.compile(
        rb"(?m)^\s*--(?:extra-)?(?:index-url|find-links)\b"
    ),
}
BINARY = {".png", ".ico", ".woff2", ".gz", ".whl", ".db"}


def test_the_repository_is_listed() -> None:
    assert ROOT / "pyproject.toml" in repository_files()


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group().decode()}"
        for path in repository_files()
        if path.suffix not in BINARY
        for match in FORBIDDEN[what].finditer(path.read_bytes())
    ]
    assert found == []


def test_requirements_are_pinned_with_hashes() -> None:
    locks = sorted((ROOT / "requirements").glob("*.txt"))
    assert locks
    for lock in locks:
        pins = re.findall(r"(?m)^[\w.\[\]-]+==\S+.*$", lock.read_text(encoding="utf-8"))
        assert pins, lock.name
        assert [pin for pin in pins if not pin.endswith("\\")] == [], "a pin without hashes"


def test_packages_of_node_are_pinned_with_hashes_and_without_addresses() -> None:
    locks = [path for path in repository_files() if path.name == "package-lock.json"]
    assert locks
    for lock in locks:
        listed = json.loads(lock.read_text(encoding="utf-8"))["packages"]
        packages = {name: entry for name, entry in listed.items() if name}
        assert packages, lock
        assert [name for name, entry in packages.items() if "resolved" in entry] == []
        assert [name for name, entry in packages.items() if "integrity" not in entry] == []
