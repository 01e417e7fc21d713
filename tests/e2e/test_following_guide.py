"""The guide on gateways elsewhere works as printed; that they answer is in tests/fault."""

import pytest

from tests.support.clone import Clone, blocks

PAGE = "docs/guides/gateways-on-other-machines.md"
BLOCKS = [text for language, text in blocks(PAGE) if language == "sh"]
EXPECTED = [
    ("principal create edge", ["this is the token of 'edge'", "ssh-ed25519 "]),
    ("mkdir edge", ["no problems"]),
    ("steadyhand events", []),
]


@pytest.mark.parametrize("text", BLOCKS, ids=[f"block-{n}" for n in range(len(BLOCKS))])
def test_a_block_does_what_the_page_says(clone: Clone, text: str) -> None:
    [wanted] = [parts for mark, parts in EXPECTED if mark in text]
    printed = clone.shell(text)
    for part in wanted:
        assert part in printed, f"{part!r} in {printed}"
