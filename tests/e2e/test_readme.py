"""The README's commands work as printed, in the order in which they are printed."""

import re

import pytest

from tests.support.clone import Clone, blocks, eventually
from tests.support.tree import ROOT

BLOCKS = blocks("README.md")
MOST_LINES = 150
RUN_BY_OTHERS = {"make run"}  # the fixture
ONCE = (
    ".venv/bin/steadyhand upstreams break",
    "sleep ",
)  # commands that are not given again while waiting

EXPECTED = [
    # a part of the block, what it must print
    ("What does VACUUM do?", ['"choices":[', "VACUUM"]),
    ("from openai import OpenAI", ["How do I dump a large database?", "A simulated model answers"]),
    (
        "requests list",
        [
            "answered\t200\tsimulated/steady",
            "sent: status 200 by live, stream",
            "/login#code=",
        ],
    ),
    (
        "upstreams break",
        [
            "simulated is broken: error-500",
            "in force in ",
            "x-steadyhand-rung: cache",
            "x-steadyhand-age-ms: ",
            "simulated/quote",  # it failed, or is known to fail by now and is planned around
            "x-steadyhand-rung: template",
            "sent: status 200 by template",
        ],
    ),
    ("upstreams mend", ["simulated is mended", "in force in "]),
]


def commands(block: str) -> list[str]:
    """Return the commands of a block, continued lines joined."""
    return re.split(r"\n|; ", block.strip().replace("\\\n", " "))


def expected_of(block: str) -> list[str]:
    """Return what ``block`` must print; the last row whose mark is in it counts."""
    return [wanted for mark, wanted in EXPECTED if mark in block][-1]


def test_it_is_short() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES


def test_every_block_is_run_here() -> None:
    assert {language for language, _ in BLOCKS} == {"sh", "python", "toml"}
    ours = [text for language, text in BLOCKS if language != "toml"]
    unknown = [text for text in ours if not any(mark in text for mark, _ in EXPECTED)]
    assert {text.strip() for text in unknown} == RUN_BY_OTHERS


@pytest.mark.parametrize(
    ("language", "text"),
    [(language, text) for language, text in BLOCKS if text.strip() not in RUN_BY_OTHERS],
    ids=[f"{language}-{n}" for n, (language, text) in enumerate(BLOCKS) if "make" not in text],
)
def test_a_block_does_what_the_page_says(clone: Clone, language: str, text: str) -> None:
    if language == "toml":
        clone.edit("steadyhand.toml", lambda settings: f"{settings}\n{text}")
        return
    wanted = expected_of(text)
    printed = clone.python(text) if language == "python" else clone.shell(text)
    again = "\n".join(c for c in commands(text) if not c.startswith(ONCE))

    def is_as_expected() -> bool:
        """A slow machine takes a change over, or ships a record, later than the page waits."""
        nonlocal printed
        if all(part in printed for part in wanted):
            return True
        printed = clone.python(text) if language == "python" else clone.shell(again)
        return False

    eventually(is_as_expected, f"{wanted} in {printed}")


def test_after_mending_the_model_answers_again(clone: Clone) -> None:
    question = next(text for _, text in BLOCKS if text.startswith("curl"))
    eventually(lambda: "A simulated model answers" in clone.shell(question), "an answer")


def test_an_added_provider_can_be_called_at_once(clone: Clone) -> None:
    """Nothing listens there, which is said in the shape of the API."""
    question = next(text for _, text in BLOCKS if text.startswith("curl"))
    printed = clone.shell(question.replace('"support"', '"local/any"'))
    assert '"code":"no_answer"' in printed
    assert "connect_failed" in printed


def test_the_second_rung_of_the_demo_speaks_when_the_first_is_broken(clone: Clone) -> None:
    """As docs/start/first-request.md lets a newcomer see it; a fallback must be reachable."""
    question = next(text for _, text in BLOCKS if text.startswith("curl"))
    question = question.replace("curl -s ", "curl -si ")
    clone.edit("routes/support.toml", lambda route: route.replace('"steady"', '"error-500"'))
    printed = clone.shell(question)
    assert "x-steadyhand-deployment: simulated/quote" in printed
    assert "x-steadyhand-reason: server_error" in printed
    clone.edit("routes/support.toml", lambda route: route.replace('"error-500"', '"steady"'))
