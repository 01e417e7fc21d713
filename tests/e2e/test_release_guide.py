"""The guide's commands work as printed, in the order in which they are printed."""

import re
import shutil

import pytest

from tests.support.clone import Clone, blocks

BLOCKS = [text for language, text in blocks("docs/guides/release-a-prompt.md") if language == "sh"]

EXPECTED = [
    ("principal create", ["this is the token of 'olive'", "this is key 'shop'"]),
    ("As we begin", ["staging serves", "error[release_refused]: needs_approval"]),
    ("release approve $(cat first)", ["approved by bob for production", "production serves"]),
    ("sleep 1; curl", ["x-steadyhand-rung: live", "x-steadyhand-release: sha256:"]),
    (
        "release diff",
        ["+- Answer in one sentence.", "prompt tokens a request", "approved by bob"],
    ),
    (
        "channel rollback",
        ["production serves", "error[release_refused]: revoked", "olive"],
    ),
    (
        "log --format",
        [
            "olive: Roll support in production back to ",
            "bob: Approve support ",
            "alice: Release support ",
            "# support in production",
        ],
    ),
    (
        "api/v1/channels",
        ['"environment":"production"', "already_stable", '"revocation":{"reason":"too terse"'],
    ),
]


@pytest.mark.parametrize("text", BLOCKS, ids=[f"block-{n}" for n in range(len(BLOCKS))])
def test_a_block_does_what_the_page_says(clone: Clone, text: str) -> None:
    printed = clone.shell(text)
    wanted = [parts for mark, parts in EXPECTED if mark in text]
    assert wanted, "say what it must print"
    for part in wanted[-1]:
        assert part in printed, f"{part!r} in {printed}"


def test_production_serves_the_first_release_again(clone: Clone) -> None:
    digest = (clone.folder / "first").read_text().strip()
    question = next(text for text in BLOCKS if "sleep 1; curl" in text)
    assert f"x-steadyhand-release: sha256:{digest}" in clone.shell(question)


def test_the_record_says_which_release_answered(clone: Clone) -> None:
    digest = (clone.folder / "first").read_text().strip()
    command = ".venv/bin/steadyhand requests explain last --workspace demo"
    assert re.search(rf"stable release {digest}", clone.shell(f"sleep 1; {command}"))


def test_git_itself_finds_nothing_wrong(clone: Clone) -> None:
    """Where OpenSSH is installed, Git checks each commit's signature as well."""
    repository = clone.folder / "demo" / ".steadyhand" / "registry.git"
    assert clone.shell(f"git -C {repository} fsck --strict").strip() == ""
    if shutil.which("ssh-keygen") is None:
        return
    verify = f"""
      key=$(ssh-keygen -y -f demo/.steadyhand/registry_ed25519)
      echo "registry@steadyhand.invalid $key" > signers
      for commit in $(git -C {repository} rev-list main); do
        git -C {repository} -c gpg.ssh.allowedSignersFile=$PWD/signers verify-commit $commit
      done
    """
    printed = clone.shell(verify)
    assert printed.count('Good "git" signature for registry@steadyhand.invalid') >= 9


def test_the_doctor_finds_nothing(clone: Clone) -> None:
    printed = clone.shell(".venv/bin/steadyhand registry doctor --workspace demo")
    assert "nothing is wrong" in printed
