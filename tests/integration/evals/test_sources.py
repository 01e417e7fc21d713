"""Curated answers as what a sampled answer should stand in: found by what was asked, or not."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from steadyhand.app.grounding_sources import MOST, CuratedSources
from steadyhand.evals.grounding.finding import checked
from steadyhand.evals.grounding.sample import Sample
from steadyhand.evals.grounding.score import Verdict
from steadyhand.knowledge.library import Library
from steadyhand.knowledge.model import Entry
from steadyhand.knowledge.shelf import shelve
from steadyhand.snapshot.compile import collection_name
from steadyhand.snapshot.model import Snapshot
from tests.support.curated import entry

NOW_US = 1_790_000_000_000_000
RELEASE = "sha256:" + "7" * 64
ASKED = "How do I restart the pump?"
HELP = (
    entry("restart", ASKED, answer="Press the red button for five seconds."),
    entry("drain", "How do I drain the tank?", answer="Open the valve below the tank."),
    entry("price", "What does a pump cost?", answer="It costs 70 EUR.", tenants=("others",)),
)


class House:
    """A control process's collections."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.snapshot: Snapshot | None = None
        self.library = Library(folder, lambda: NOW_US)
        self.sources = CuratedSources(self.library, lambda: self.snapshot)

    def publish(self, collections: Mapping[str, Sequence[Entry]]) -> None:
        held = {name: shelve(entries, self.folder) for name, entries in collections.items()}
        self.snapshot = Snapshot(1, NOW_US, "sha256:", {}, {}, {}, {}, collections=held)

    def look(
        self, *messages: Any, release: str = "", collections: tuple[str, ...] = ("help",)
    ) -> list[str]:
        made = sample({"messages": messages}, release=release, collections=collections)
        return [source.name for source in self.sources.look(made)]


def sample(asked: Any, answer: str = "Yes.", **fields: Any) -> Sample:
    fields = {"release": "", "collections": ("help",)} | fields
    body = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
    return Sample(
        tenant="acme",
        route="support",
        probability=1,
        keep_s=60,
        asked=body,
        answer=answer,
        **fields,
    )


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def test_what_is_curated_on_the_question_is_found(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert house.look(user(ASKED)) == [], "nothing is in force yet"
    house.publish({"help": HELP, "other": HELP})
    assert house.look(user(ASKED)) == ["source of restart"]
    assert house.look({"role": "system", "content": "Be kind."}, user(ASKED)) == [
        "source of restart"
    ]
    assert len(house.look(user(ASKED))) <= MOST
    assert set(house.library._held) == {house.snapshot.collections["help"]}  # type: ignore[union-attr]


def test_what_is_not_on_it_is_not(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.publish({"help": HELP})
    assert house.look(user("Who won the cup of 1987?")) == []
    assert house.look(user("What does a pump cost?")) == [], "another tenant's"
    assert house.look(user(ASKED), {"role": "assistant", "content": "So."}) == []
    assert house.look(user(ASKED), collections=()) == []
    assert house.look(user(ASKED), collections=("unknown",)) == []
    assert not house.sources.look(sample({"messages": [user(ASKED)]}, problem="too_long"))
    for asked in (b"", b"{}", b'{"messages": 7}', b"[" * 5_000, b'{"messages": ["\xff"]}'):
        assert not house.sources.look(sample(asked))


def test_a_release_has_its_own(tmp_path: Path) -> None:
    house = House(tmp_path)
    own = (entry("new", ASKED, answer="Turn the key."),)
    house.publish({"help": HELP, collection_name("help", RELEASE): own})
    assert house.look(user(ASKED), release=RELEASE) == ["source of new"]
    assert house.look(user(ASKED), release="sha256:" + "8" * 64) == ["source of restart"]


def test_a_change_is_read_and_what_is_gone_says_nothing(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.publish({"help": HELP})
    assert house.look(user(ASKED)) == ["source of restart"]
    house.publish({"help": (entry("again", ASKED, answer="Turn the key."),)})
    assert house.look(user(ASKED)) == ["source of again"]
    assert len(house.library._held) == 1, "what is no more in force is let go"
    for file in tmp_path.iterdir():
        file.unlink()
    house.snapshot = Snapshot(2, NOW_US, "", {}, {}, {}, {}, collections={"help": "sha256:gone"})
    assert house.look(user(ASKED)) == []


def test_an_answer_is_held_against_them(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.publish({"help": HELP})

    def found(answer: str, question: str = ASKED) -> tuple[str, str | None, int]:
        made = sample({"messages": [user(question)]}, answer)
        finding = checked("req_1", 1, made, house.sources.look(made))
        verdict: Verdict = finding.check
        return verdict.state, verdict.reason, len(finding.sources)

    assert found("Press the red button for five seconds.") == ("grounded", None, 1)
    assert found("Zebras of Atlantis paid 7,777 EUR to Anna Miller.") == ("ungrounded", None, 1)
    assert found("Zebras paid 7,777 EUR.", "Who won?") == ("not_measured", "no_context", 0)
