"""The guide's commands work as printed, and the pipelines' tell worse from the same."""

import re

import pytest

from tests.support.clone import Clone, blocks
from tests.support.tree import ROOT

GUIDE = "docs/guides/gate-a-change.md"
BLOCKS = [text for language, text in blocks(GUIDE) if language == "sh"]
EXPECTED = [
    ("As it is", ["## ✓ Gate of `support`: passes", "would have been seen with 80 % probability"]),
    (
        "VACUUM-BASICS",
        ["## ✕ Gate of `support`: worse", "exact McNemar", "**vacuum-full-locks**: 0 of 3 good"],
    ),
]
PIPELINES = {
    "github-actions.yml": {"GITHUB_BASE_REF": "main", "GITHUB_STEP_SUMMARY": "summary.md"},
    "gitlab-ci.yml": {},
}


@pytest.mark.parametrize("text", BLOCKS, ids=[f"block-{n}" for n in range(len(BLOCKS))])
def test_a_block_does_what_the_page_says(clone: Clone, text: str) -> None:
    (wanted,) = (parts for mark, parts in EXPECTED if mark in text)
    printed = clone.shell(text)
    for part in wanted:
        assert part in printed, f"{part!r} in {printed}"
    if "VACUUM-BASICS" in text:
        assert "exit code 10" in printed
        assert 'name="vacuum-full-locks"' in (clone.folder / "gate.xml").read_text()
        assert (clone.folder / "gate.md").read_text().startswith("## ✕ Gate of `support`: worse")


@pytest.mark.parametrize("name", PIPELINES)
def test_a_pipelines_step_fails_for_a_worse_prompt_and_says_why(clone: Clone, name: str) -> None:
    """Run as it stands, in a clone of a repository whose branch has a worse prompt."""
    text = (ROOT / "deploy" / "ci" / name).read_text(encoding="utf-8")
    (step,) = re.findall(r"(?m)(?:run:|-) (steadyhand gate .*)$", text)
    variables = "\n".join(f"export {key}={value}" for key, value in PIPELINES[name].items())
    printed = clone.shell(f"""
      rm -rf origin work && cp -r demo origin && rm -rf origin/.steadyhand
      sed -i '0,/model = "steady"/s//model = "quote"/' origin/routes/support.toml
      git init -q -b main origin && git -C origin add -A
      git -C origin -c user.name=t -c user.email=t@example.invalid commit -qm "As it is"
      git clone -q origin work && cd work && git fetch -q origin main
      export PATH="$PWD/../.venv/bin:$PATH"
      {variables}
      {step}
      echo "the same: $?"
      sed -i '/BACKUP-DUMP-LARGE/d' prompts/support.md
      set +e
      {step}
      echo "worse: $?"
    """)
    assert "the same: 0" in printed, printed
    assert "worse: 10" in printed, printed
    assert "**split-a-dump**" in printed
    summary = PIPELINES[name].get("GITHUB_STEP_SUMMARY", "gate.md")
    assert "### Cases that were lost" in (clone.folder / "work" / summary).read_text()
