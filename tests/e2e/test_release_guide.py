"""The guide's commands work as printed, in the order in which they are printed."""

import re
import shutil
from textwrap import dedent

import pytest

from tests.support.clone import Clone, blocks, eventually
from tests.support.tree import ROOT

BLOCKS = [text for language, text in blocks("docs/guides/release-a-prompt.md") if language == "sh"]

EXPECTED = [
    ("principal create", ["this is the token of 'olive'", "this is key 'shop'"]),
    ("As we begin", ["staging serves", "error[release_refused]: needs_approval"]),
    ("release approve $(cat first)", ["approved by bob for production", "production serves"]),
    ("sleep 1; curl", ["x-steadyhand-rung: live", "x-steadyhand-release: sha256:"]),
    (
        "release diff",
        ["+- Answer in one sentence.", "prompt tokens a request", "approved by bob", "0 errors"],
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
    ("From a pipeline", ["staging serves "]),
    (
        "api/v1/channels",
        [
            '"environment":"production"',
            '"weight_percent":0.0',
            '"revocation":{"reason":"too terse"',
        ],
    ),
]


@pytest.mark.parametrize("text", BLOCKS, ids=[f"block-{n}" for n in range(len(BLOCKS))])
def test_a_block_does_what_the_page_says(clone: Clone, text: str) -> None:
    wanted = [parts for mark, parts in EXPECTED if mark in text]
    assert wanted, "say what it must print"
    printed = clone.shell(text)

    def is_as_expected() -> bool:
        """A busy machine serves a release later than the page waits."""
        nonlocal printed
        if "curl -si" in text and not all(part in printed for part in wanted[-1]):
            printed = clone.shell(f"{text.strip()} || true")
        return all(part in printed for part in wanted[-1])

    if "curl -si" in text:
        eventually(is_as_expected, f"{wanted[-1]} in {printed}")
    for part in wanted[-1]:
        assert part in printed, f"{part!r} in {printed}"


PIPELINES = ["github-actions.yml", "gitlab-ci.yml"]
SCRIPT = re.compile(r"(?m)^( *)(?:run:|-) \|\n((?:\1 +.*\n?)+)")


def steps_of(name: str) -> list[str]:
    """Return the commands of a pipeline: the checks, then the script that releases."""
    text = (ROOT / "deploy" / "ci" / name).read_text(encoding="utf-8")
    check = re.findall(r"(?m)(?:run:|-) (steadyhand (?:validate|prompt lint) .*)$", text)
    ((_, script),) = SCRIPT.findall(text)
    return [*check, dedent(script)]


@pytest.mark.parametrize("name", PIPELINES)
def test_a_pipelines_steps_release_what_landed(clone: Clone, name: str) -> None:
    """Run as they stand, in a repository of its own with a copy of the workspace."""
    steps = steps_of(name)
    assert len(steps) == 3
    setup = f"""
      rm -rf team && cp -r demo team && rm -rf team/.steadyhand && cd team
      echo "- From {name}." >> prompts/support.md
      git init -q . && git add -A
      git -c user.name=t -c user.email=t@example.invalid commit -qm "Say where from"
      export PATH="$PWD/../.venv/bin:$PATH" CI_COMMIT_TITLE="Say where from"
      export STEADYHAND_CONTROL_TOKEN=$(cat ../alice.token)
    """
    printed = clone.shell("\n".join([setup, *steps]))
    assert "staging serves " in printed
    assert (clone.folder / "team" / "prompts.xml").read_text().count("<testcase") >= 1
    assert f"+- From {name}." in printed or f"-- From {name}." in printed
    history = clone.shell(
        ".venv/bin/steadyhand channel history support --in staging --workspace demo"
    )
    assert "alice" in history.splitlines()[0]


def test_production_serves_the_first_release_again(clone: Clone) -> None:
    digest = (clone.folder / "first").read_text().strip()
    question = next(text for text in BLOCKS if "sleep 1; curl" in text)
    wanted = f"x-steadyhand-release: sha256:{digest}"
    eventually(lambda: wanted in clone.shell(question), "production to be back")


def test_the_record_says_which_release_answered(clone: Clone) -> None:
    digest = (clone.folder / "first").read_text().strip()
    command = ".venv/bin/steadyhand requests explain last --workspace demo"
    eventually(
        lambda: re.search(rf"stable release {digest}", clone.shell(command)) is not None,
        "the record to be shipped",
    )


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
