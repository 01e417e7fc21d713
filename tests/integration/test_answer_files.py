"""Curated answers as files: each mistake is found and placed; the demo's are in order."""

import json
from datetime import date
from pathlib import Path

import pytest

from steadyhand.app.publish import publish, republish
from steadyhand.app.state import State
from steadyhand.cli.main import run
from steadyhand.knowledge.shelf import take
from steadyhand.settings import answers
from steadyhand.settings.answers import expired, load_collections
from steadyhand.settings.load import load
from steadyhand.settings.problems import InvalidWorkspace, Problem
from steadyhand.settings.scaffold import write_workspace
from steadyhand.snapshot import sign, store
from tests.support.curated import answer_file, write_answers
from tests.support.workspaces import FILES, write

ONE = answer_file(["How do I restart?"], "Press the button.")


def problems_of(root: Path) -> list[Problem]:
    with pytest.raises(InvalidWorkspace) as caught:
        load(root, {}, {})
    return list(caught.value.problems)


# code, text of answers/help/b.md beside a good a.md, place, part of the reason
MISTAKES = [
    ("E0311", "Press it.\n", "answers/help/b.md:1", "no front matter"),
    ("E0103", "+++\nowner = \n+++\nYes.\n", "answers/help/b.md:2", "not TOML"),
    ("E0104", ONE.replace("source", "sauce"), "answers/help/b.md:3", "unknown key"),
    ("E0106", ONE.replace('owner = "us"\n', ""), "answers/help/b.md", "owner"),
    ("E0105", ONE.replace('"us"', '"us"\nlocale = "English!"'), "answers/help/b.md:5", "language"),
    ("E0105", ONE.replace('"manual"', '"a\\nb"'), "answers/help/b.md:3", "one line"),
    ("E0105", ONE.replace('"us"', '"us"\nexpires = "soon"'), "answers/help/b.md:5", "date"),
    ("E0402", answer_file(["Why red?"], ""), "answers/help/b.md:6", "no answer"),
    ("E0403", answer_file(["How do I do it?"], "So."), "answers/help/b.md:2", "no words"),
    ("E0403", answer_file(["why " * 99 + "red"], "So."), "answers/help/b.md:2", "longer than 300"),
    ("E0404", answer_file(["how to RESTART"], "So."), "answers/help/b.md:2", "answers/help/a.md:2"),
    ("E0406", answer_file(["Why red?"], "ä" * 17_000), "answers/help/b.md:6", "32,768 bytes"),
    (
        "E0107",
        answer_file(["Why red?"], "One.\nsk-" + "a1" * 20),
        "answers/help/b.md:7",
        "literal secret",
    ),
    (
        "E0107",
        answer_file(["sk-" + "a1" * 20], "One."),
        "answers/help/b.md:2",
        "literal secret",
    ),
]


@pytest.mark.parametrize(("code", "text", "place", "reason"), MISTAKES)
def test_a_mistake_is_found(tmp_path: Path, code: str, text: str, place: str, reason: str) -> None:
    root = write(tmp_path)
    write_answers(root, "help", {"a": ONE, "b": text})
    [problem] = problems_of(root)
    assert (problem.code, problem.path) == (code, place)
    assert reason in problem.text()
    assert "a1a1" not in problem.text()


def test_a_rung_with_an_unknown_collection_is_told_the_nearest(tmp_path: Path) -> None:
    route = FILES["routes/ask.toml"]
    rung = '[[rungs]]\nkind = "knowledge"\ncollection = "halp"\n\n[floor]'
    root = write(tmp_path, {"routes/ask.toml": route.replace("[floor]", rung)})
    write_answers(root, "help", {"a": ONE})
    [problem] = problems_of(root)
    assert (problem.code, problem.nearest) == ("E0401", "help")
    assert problem.key.endswith(".collection")


@pytest.mark.parametrize(
    ("first", "second", "is_twin"),
    [
        ("", "", True),
        ('tenants = ["a"]', 'tenants = ["b"]', False),
        ('tenants = ["a", "b"]', 'tenants = ["b"]', True),
        ('tenants = ["a"]', "", True),
        ('locale = "en"', 'locale = "de"', False),
        ('locale = "de"', 'locale = "de-AT"', True),
        ('locale = "de"', "", True),
    ],
)
def test_the_same_question_is_allowed_to_people_who_never_see_both(
    tmp_path: Path, first: str, second: str, is_twin: bool
) -> None:
    root = write(tmp_path)
    write_answers(
        root,
        "help",
        {
            "a": answer_file(["Why red?"], "So.", first),
            "b": answer_file(["Why red?"], "Thus.", second),
        },
    )
    if is_twin:
        assert [problem.code for problem in problems_of(root)] == ["E0404"]
    else:
        assert len(load(root, {}, {}).collections["help"]) == 2


def test_entries_carry_what_their_files_say(tmp_path: Path) -> None:
    root = write(tmp_path)
    more = 'locale = "de"\ntenants = ["b", "a", "b"]\nexpires = 2030-01-02'
    write_answers(root, "help", {"deep/er": answer_file(["Warum rot?"], "\nDarum.\n\n", more)})
    [entry] = load(root, {}, {}).collections["help"]
    assert (entry.id, entry.answer, entry.source) == ("deep/er", "Darum.", "manual")
    assert (entry.locale, entry.tenants, entry.expires_day) == ("de", ("a", "b"), 21_916)


def test_too_many_answers_are_refused_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MOST_ENTRIES", 2)
    root = write(tmp_path)
    write_answers(root, "help", {name: answer_file([f"Why {name}?"], "So.") for name in "xyz"})
    [problem] = problems_of(root)
    assert (problem.code, problem.path) == ("E0406", "answers/help")


def test_an_answer_out_of_date_is_a_finding_of_validate_and_no_bar_to_serving(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write(tmp_path)
    write_answers(root, "help", {"a": answer_file(["Why red?"], "So.", "expires = 2020-02-29")})
    collections = load(root, {}, {}).collections
    assert expired(collections, date(2020, 2, 29)) == []
    assert run(["validate", "--workspace", str(root), "--json"]) == 1
    [problem] = json.loads(capsys.readouterr().out)["problems"]
    assert (problem["code"], problem["path"]) == ("E0405", "answers/help/a.md")


def test_a_folder_without_answers_is_no_collection(tmp_path: Path) -> None:
    root = write(tmp_path)
    (root / "answers" / "empty").mkdir(parents=True)
    (root / "answers" / "README.md").write_text("words")
    assert load(root, {}, {}).collections == {}
    assert load_collections(root) == {}


def test_a_file_broken_while_serving_leaves_the_answers_before_it_in_force(tmp_path: Path) -> None:
    root = write(tmp_path)
    write_answers(root, "help", {"a": ONE})
    settings = load(root, {}, {})
    state = State(settings)
    state.prepare()
    publish(settings)
    key = sign.open_key(state.snapshot_key)
    before = store.load(state.snapshots, key).snapshot
    write_answers(root, "help", {"a": "+++\nbroken"})
    assert not republish(root, {})
    after = store.load(state.snapshots, key).snapshot
    assert after.collections == before.collections
    assert take(after.collections["help"], state.answers).texts
    write_answers(root, "help", {"a": ONE.replace("Press", "Push")})
    assert republish(root, {})
    mended = store.load(state.snapshots, key).snapshot.collections
    assert mended != before.collections
    write_answers(root, "help", {"b": answer_file(["Why red?"], "So.")})
    assert republish(root, {})
    assert len(list(state.answers.iterdir())) == 2, "the snapshot before keeps its own"


def test_questions_are_tried_on_the_files_as_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write(tmp_path)
    write_answers(root, "help", {"a": ONE, "b": answer_file(["Why is the light red?"], "So.")})
    where = ["--workspace", str(root)]
    assert run(["answers", "search", "help", "how do I restart", *where, "--json"]) == 0
    tried = json.loads(capsys.readouterr().out)
    assert (tried["spoken"], tried["answer"]) == (True, "Press the button.")
    assert run(["answers", "search", "help", "bread", *where]) == 0
    assert "not spoken   nothing_near" in capsys.readouterr().out
    assert run(["answers", "search", "help", "red light", *where, "--threshold", "1"]) == 0
    assert "not_sure" in capsys.readouterr().out
    assert run(["answers", "list", *where, "--json=entry"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"entry": "a"}, {"entry": "b"}]
    assert run(["answers", "search", "halp", "x", *where]) == 3
    assert "did you mean 'help'" in capsys.readouterr().err


DEMO = [
    ("rebuild an index", "rebuild-an-index"),
    ("how can I dump a database to a file", "back-up-one-database"),
    ("cancel running query", "cancel-a-query"),
    ("how do I import csv file", "import-a-csv-file"),
    ("What does FATAL: sorry, too many clients already mean?", "too-many-clients"),
]


@pytest.mark.parametrize(("question", "entry"), DEMO)
def test_the_demo_answers_what_it_was_written_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], question: str, entry: str
) -> None:
    root = write_workspace(tmp_path / "demo").directory
    assert run(["answers", "search", "support", question, "--workspace", str(root), "--json"]) == 0
    tried = json.loads(capsys.readouterr().out)
    assert tried["spoken"], tried["explanation"]
    assert tried["candidates"][0]["entry"] == entry


def with_subjects(root: Path, text: str) -> Path:
    write(root)
    write_answers(root, "help", {"a": ONE})
    path = root / "answers" / "help" / "subjects.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_subjects_are_read_beside_the_answers(tmp_path: Path) -> None:
    with_subjects(tmp_path, "# headings of the manual\n\nReplication slots\n  Logical decoding  \n")
    (answer, one, other) = load_collections(tmp_path)["help"]
    assert not answer.is_silent
    assert [(each.id, each.questions) for each in (one, other)] == [
        ("subjects.txt:3", ("Replication slots",)),
        ("subjects.txt:4", ("Logical decoding",)),
    ]
    assert one.is_silent


@pytest.mark.parametrize(
    ("text", "code", "place", "reason"),
    [
        ("Replication\nHow is it\n", "E0403", "subjects.txt:2", "no words in it"),
        ("Restart" + "x" * 300 + "\n", "E0403", "subjects.txt:1", "longer than"),
        ("Replication\nRestart?\n", "E0403", "subjects.txt:2", "the same words as a question of"),
    ],
)
def test_a_subject_that_cannot_be_one_is_found(
    tmp_path: Path, text: str, code: str, place: str, reason: str
) -> None:
    with_subjects(tmp_path, text)
    (problem,) = problems_of(tmp_path)
    assert problem.code == code
    assert problem.path.endswith(place)
    assert reason in problem.reason


def test_subjects_that_are_no_text_or_too_many_are_refused_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = with_subjects(tmp_path, "Replication\nDecoding\n")
    path.write_bytes(b"\xff\xfe\n")
    assert "cannot be read" in problems_of(tmp_path)[0].reason
    path.write_text("Replication\nDecoding\n")
    monkeypatch.setattr(answers, "MOST_ENTRIES", 1)
    assert problems_of(tmp_path)[0].code == "E0406"
