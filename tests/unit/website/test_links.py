"""Where links lead on the site."""

import pytest

from website.links import Target, expanded, from_page, is_elsewhere, site_path, target


@pytest.mark.parametrize(
    ("home", "href", "page"),
    [
        ("docs/concepts/ladder.md", "streams.md", "concepts/streams.md"),
        ("docs/concepts/ladder.md", "../../ARCHITECTURE.md#layers", "architecture.md#layers"),
        ("docs/index.md", "decisions/README.md", "decisions/README.md"),
        ("docs/index.md", "../README.md", "index.md"),
        ("ARCHITECTURE.md", "docs/images/request-path.svg", "images/request-path.svg"),
        ("benchmarks/README.md", "results/2026-01-01-x.md", "benchmarks/2026-01-01-x.md"),
        ("benchmarks/results/2026-01-01-x.md", "../README.md", "benchmarks/index.md"),
    ],
)
def test_a_page_of_the_site(home: str, href: str, page: str) -> None:
    assert target(home, href) == Target(page, is_page=True)


@pytest.mark.parametrize(
    ("home", "href", "source"),
    [
        ("docs/operations/limits.md", "../../tests/x/test_y.py", "tests/x/test_y.py"),
        ("docs/operations/limits.md", "../../src/a.py#L3", "src/a.py#L3"),
        (
            "benchmarks/README.md",
            "results/2026-01-01-x.json",
            "benchmarks/results/2026-01-01-x.json",
        ),
        ("ARCHITECTURE.md", "LICENSE", "LICENSE"),
    ],
)
def test_a_source_file(home: str, href: str, source: str) -> None:
    assert target(home, href) == Target(source, is_page=False)


@pytest.mark.parametrize("href", ["https://example.org", "#here", "mailto:a@example.org", "/x", ""])
def test_what_is_no_file_of_the_repository(href: str) -> None:
    assert is_elsewhere(href)
    assert not is_elsewhere("a.md#b")


def test_links_are_written_from_the_page_that_has_them() -> None:
    assert from_page("concepts/ladder.md", "architecture.md#a") == "../architecture.md#a"
    assert from_page("index.md", "concepts/ladder.md") == "concepts/ladder.md"
    assert from_page("architecture.md", "concepts/ladder.md") == "concepts/ladder.md"


def test_files_that_are_not_on_the_site_have_no_place() -> None:
    assert site_path("src/steadyhand/__init__.py") is None
    assert site_path("benchmarks/results/x.json") is None


def test_the_navigation_takes_in_what_it_does_not_name() -> None:
    pages = ["a/one.md", "a/two.md", "a/b/three.md", "index.md", "a/four.md"]
    nav: list[object] = ["index.md", {"A": ["a/two.md", "a/*", {"B": ["a/b/*"]}]}, {"C": "c.md"}]
    assert expanded(nav, pages) == [
        "index.md",
        {"A": ["a/two.md", "a/four.md", "a/one.md", {"B": ["a/b/three.md"]}]},
        {"C": "c.md"},
    ]
