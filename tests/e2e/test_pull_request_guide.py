"""The guide on pull requests works as printed: a Git server with the hook, and three people."""

import shutil
from collections.abc import Iterator

import pytest

from tests.support.clone import Clone, blocks, eventually
from tests.support.tree import ROOT

PAGE = "docs/guides/release-by-pull-request.md"
BLOCKS = [text for language, text in blocks(PAGE) if language == "sh"]
BEFORE_IT_RUNS = 2

EXPECTED = [
    ("git init -q --bare", []),
    ("steadyhand init demo", ["no problems"]),
    ("principal signers", ["alice namespaces=", "roles=approver", "roles=server"]),
    ("for name in alice bob olive; do\n  git clone", []),
    ('release create support -m "As we begin"', ["Release support ", "Promote support "]),
    ("approve-first", ["Approve support "]),
    ("channel promote support $(cat first) --to production", ["production"]),
    ("I say so", ["own_release", "alice has not the role approver"]),
    ("channel rollback", ["Roll support in production back to ", "G olive: Roll support"]),
]


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """Return a clone in which the first blocks have run, and which is served then."""
    clone = Clone(tmp_path_factory.mktemp("team"))
    shutil.copytree(ROOT / "deploy" / "git", clone.folder / "deploy" / "git")
    clone.addresses = {"127.0.0.1:8081": "127.0.0.1:9"}
    printed = [clone.shell(text) for text in BLOCKS[:BEFORE_IT_RUNS]]
    assert "no problems" in printed[1]
    with clone.served():
        eventually(
            lambda: (clone.folder / "demo" / ".steadyhand" / "registry_ed25519").exists(),
            "the control plane has a key",
        )
        yield clone


@pytest.mark.parametrize(
    "text", BLOCKS[BEFORE_IT_RUNS:], ids=[f"block-{n}" for n in range(len(BLOCKS) - BEFORE_IT_RUNS)]
)
def test_a_block_does_what_the_page_says(team: Clone, text: str) -> None:
    wanted = [parts for mark, parts in EXPECTED if mark in text]
    assert wanted, "say what it must print"
    printed = team.shell(f'export PATH="$PWD/.venv/bin:$PATH"\n{text}')
    for part in wanted[-1]:
        assert part in printed, f"{part!r} in {printed}"


def test_what_was_merged_is_served(team: Clone) -> None:
    first = (team.folder / "first").read_text().strip()

    def is_served() -> bool:
        listed = team.shell(".venv/bin/steadyhand channel list --workspace demo --json")
        return f'"stable": "sha256:{first}' in listed

    eventually(is_served, "production is back at the first release")
