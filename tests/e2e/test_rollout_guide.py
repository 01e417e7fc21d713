"""The guide's commands work as printed: a slow release goes, an outage and a twin take nothing."""

import pytest

from tests.support.clone import Clone, blocks

BLOCKS = [text for language, text in blocks("docs/guides/try-a-release.md") if language == "sh"]

EXPECTED = [
    ("key create trial", ["this is key 'trial'", "staging serves"]),
    (
        "rehearse slow",
        ["rolled_back  0 %", "roll_back: worse_than_control", "answers by rung"],
    ),
    (
        "rollout verify",
        [
            "rolled_back",
            "signature\tyes\tby the key of the registry",
            "verdict\tyes\troll_back: worse_than_control",
            "rollouts: Roll support in staging back from ",
            "Try support ",
            "was taken back",
            "From the verdict to the last request on the candidate: ",
        ],
    ),
    ("rehearse outage", ["hold: both_degraded", "answers by rung: "]),
    ("rehearse identical", ["inconclusive: gathering", "answers by rung: live "]),
    ("rollout probe", ["50 asked, 0 bad: live 50", "50 asked, 0 bad: live "]),
]


@pytest.mark.parametrize("text", BLOCKS, ids=[f"block-{n}" for n in range(len(BLOCKS))])
def test_a_block_does_what_the_page_says(clone: Clone, text: str) -> None:
    [wanted] = [parts for mark, parts in EXPECTED if mark in text]
    printed = clone.shell(text)
    for part in wanted:
        assert part in printed, f"{part!r} in {printed}"
    if "rehearse outage" in text or "rehearse identical" in text:
        assert "roll_back" not in printed
