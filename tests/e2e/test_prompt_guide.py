"""The guide on prompts works as printed, in the order in which it is printed."""

import pytest

from tests.support.clone import Clone, blocks, eventually

BLOCKS = [text for language, text in blocks("docs/guides/write-a-prompt.md") if language == "sh"]

EXPECTED = [
    ("demo/prompts/orders.md <<", []),
    ("prompt lint orders --workspace demo || true", ["P0102", "untrusted text of user 'remark'"]),
    ("sed -i", []),
    ("prompt render orders --labels", ["- a lamp: late", "untrusted,user,remark,Where is it?"]),
    ('"order": [{', ['"choices"', '"assistant"']),
    ("shp", ["variable_missing", "did you mean 'shop' by 'shp'?", "needs the variables"]),
    ("orders@de.md <<", ["Du hilfst Kunden von Paper & Ink"]),
    ("export.json --from langfuse", ["prompts/critic.md", "P0102"]),
    ("rm demo/prompts/critic.md", []),
]


@pytest.mark.parametrize("text", BLOCKS, ids=[f"block-{n}" for n in range(len(BLOCKS))])
def test_a_block_does_what_the_page_says(clone: Clone, text: str) -> None:
    [wanted] = [parts for mark, parts in EXPECTED if mark in text]
    printed = clone.shell(text)

    def is_as_expected() -> bool:
        """A busy machine serves a new route later than the page waits."""
        nonlocal printed
        if "curl" in text and not all(part in printed for part in wanted):
            printed = clone.shell(text)
        return all(part in printed for part in wanted)

    if "curl" in text:
        eventually(is_as_expected, f"{wanted} in {printed}")
    for part in wanted:
        assert part in printed, f"{part!r} in {printed}"


def test_the_routes_command_says_what_a_route_wants(clone: Clone) -> None:
    printed = clone.shell(".venv/bin/steadyhand routes show orders --workspace demo")
    assert "shop" in printed
    assert "application" in printed
