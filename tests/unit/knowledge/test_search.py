"""What a question finds: by examples, and by what must hold for every collection."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.knowledge.confidence import confidence
from steadyhand.knowledge.index import Index
from steadyhand.knowledge.model import Asker, Entry, Evidence, Found, subject
from steadyhand.knowledge.search import MOST_TERMS, search
from steadyhand.knowledge.trial import try_on
from tests.support.curated import entry, index_of

ANYBODY = Asker("acme", "", 20_000)
SURE = 0.95
DISK = entry("disk", "How do I give disk space back?", "Why does the table not shrink?")
REINDEX = entry("reindex", "How do I rebuild an index?", answer="# Bloated indexes\n\nREINDEX.")
DUMP = entry("dump", "How do I back up a database with pg_dump?", "Make a backup")
LOCKS = entry("locks", "Which locks are there?")
VIEWS = entry("views", "What are materialized views?")
ALL = index_of(DISK, REINDEX, DUMP, LOCKS, VIEWS)
BOTH = "which locks are there and what are materialized views"


def ask(question: str, index: Index = ALL, asker: Asker = ANYBODY) -> Found:
    return search(index, question, asker, SURE)


@pytest.mark.parametrize(
    ("question", "number"),
    [
        ("How do I rebuild an index?", 1),
        ("REBUILDING INDEXES", 1),
        ("Hi, can you please tell me how to rebuild an index, thanks!", 1),
        ("how to back up a database using pg_dump", 2),
        ("materialized view", 4),
    ],
)
def test_a_question_finds_its_entry(question: str, number: int) -> None:
    found = ask(question)
    assert found.candidates[0].entry == number
    assert found.reason == "curated"


@pytest.mark.parametrize("word", ["rebiuld", "rebild", "rebuuild", "rebuyld", "ebuild"])
def test_a_misspelt_word_counts_nearly_as_much(word: str) -> None:
    right, wrong = ask("rebuild an index").candidates[0], ask(f"{word} an index").candidates[0]
    assert right.entry == wrong.entry == 1
    assert 0.5 < wrong.confidence < right.confidence


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("", "no_words"),
        ("how do you do?", "no_words"),
        ('?!*"()', "no_words"),
        ("what is the weather in Rome", "nothing_near"),
        ("How do I rebuild an index in MongoDB?", "not_sure"),
        (" ".join(f"w{number}x" for number in range(MOST_TERMS + 1)), "too_many_words"),
    ],
)
def test_what_has_no_sure_answer_gets_none_and_a_reason(question: str, reason: str) -> None:
    assert ask(question).reason == reason


def test_of_two_subjects_an_answer_to_one_is_no_answer() -> None:
    found = search(ALL, BOTH, ANYBODY, 0.01)
    assert found.reason == "two_subjects"


def test_a_word_of_the_answer_its_source_or_its_id_does_not_speak_against_it() -> None:
    said = entry("salt", "gen_salt()", answer="Takes an iteration count.")
    filler = [entry(f"f{n}", f"What is zeta{n}?") for n in range(30)]
    index = index_of(said, *filler, entry("count", "iteration of loops"))
    alone, backed, other = (
        ask(text, index).candidates[0]
        for text in ("gen_salt", "gen_salt iteration salt source", "gen_salt loops")
    )
    assert backed.evidence.astray == backed.evidence.unknown == 0
    assert alone.confidence >= backed.confidence > other.confidence


def test_a_common_word_that_is_an_entry_is_no_second_subject() -> None:
    filler = [entry(f"f{n}", f"What is zeta{n}?") for n in range(300)]
    common = [entry(f"c{n}", f"column {n}") for n in range(3)]
    index = index_of(*filler, entry("mac", "macaddr"), entry("columns", "columns"), *common)
    assert search(index, "macaddr column", ANYBODY, 0.01).reason == "curated"


def test_an_empty_collection_finds_nothing() -> None:
    assert ask("How do I rebuild an index?", index_of()).reason == "nothing_near"


def test_a_common_word_is_looked_up_for_candidates_only_and_still_counts() -> None:
    filler = [entry(f"f{n}", f"What is table number {n} zeta{n}?") for n in range(300)]
    index = index_of(*filler, entry("wanted", "How do I lock a table?"))
    found = ask("lock table", index)
    assert found.candidates[0].entry == 300
    assert found.candidates[0].evidence.coverage == 1.0


def test_work_is_bounded_when_every_entry_has_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("steadyhand.knowledge.search.MOST_LOOKED_AT", 10)
    index = index_of(*(entry(f"f{n}", "How do I lock a table?") for n in range(11)))
    assert ask("lock table", index).reason == "nothing_near"


def test_a_walk_and_a_search_of_a_row_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    filler = [entry(f"f{n}", f"What is table number {n} zeta{n}?") for n in range(30)]
    other = entry("other", "How do I frobnicate a gadget?")
    index = index_of(*filler, other, entry("wanted", "How do I frobnicate a table?"))
    before = ask("frobnicate table", index)
    monkeypatch.setattr("steadyhand.knowledge.search.WALK_UP_TO", 0)
    assert ask("frobnicate table", index) == before
    monkeypatch.setattr("steadyhand.knowledge.search.WALK_UP_TO", 10**6)
    assert ask("frobnicate table", index) == before


@pytest.mark.parametrize(
    ("entry_", "asker", "place"),
    [
        (entry("a", "How do I lock a table?", tenants=["globex"]), ANYBODY, 0),
        (entry("a", "How do I lock a table?", locale="de"), Asker("acme", "en", 1), 1),
        (entry("a", "How do I lock a table?", expires_day=19_999), ANYBODY, 2),
    ],
)
def test_what_may_not_be_told_is_withheld_and_counted(
    entry_: Entry, asker: Asker, place: int
) -> None:
    found = ask("How do I lock a table?", index_of(entry_), asker)
    assert found.reason == "not_for_this_asker"
    assert [found.withheld[at] for at in range(3)] == [int(at == place) for at in range(3)]


def test_an_entry_that_may_not_be_told_cannot_crowd_out_one_that_may() -> None:
    theirs = [entry(f"t{n}", "How do I lock a table?", tenants=["globex"]) for n in range(50)]
    index = index_of(*theirs, entry("ours", "How do I lock a table?", tenants=["acme"]))
    found = ask("How do I lock a table?", index)
    assert [one.entry for one in found.candidates] == [50]


WORDS = st.sampled_from(
    ["lock", "table", "index", "rebuild", "vacuum", "dump", "role", "grant", "slow", "query", "key"]
)
QUESTIONS = st.lists(WORDS, min_size=1, max_size=5).map(" ".join)
TENANTS = st.sampled_from(["acme", "globex", "initech"])
ROWS = st.lists(
    st.tuples(QUESTIONS, st.lists(TENANTS, max_size=2, unique=True)), min_size=1, max_size=8
)


def made(rows: list[tuple[str, list[str]]]) -> list[Entry]:
    return [entry(f"e{n}", asks, tenants=sorted(whose)) for n, (asks, whose) in enumerate(rows)]


@given(ROWS, QUESTIONS, TENANTS)
def test_no_tenant_is_ever_told_anothers_entry(
    rows: list[tuple[str, list[str]]], question: str, tenant: str
) -> None:
    entries = made(rows)
    for one in ask(question, index_of(*entries), Asker(tenant, "", 1)).candidates:
        tenants = entries[one.entry].tenants
        assert not tenants or tenant in tenants


@given(ROWS, QUESTIONS)
def test_the_same_question_always_gets_the_same(
    rows: list[tuple[str, list[str]]], question: str
) -> None:
    assert ask(question, index_of(*made(rows))) == ask(question, index_of(*made(rows)))


@given(ROWS, QUESTIONS)
def test_an_entry_about_nothing_asked_is_never_a_candidate(
    rows: list[tuple[str, list[str]]], question: str
) -> None:
    found = ask(question, index_of(*made(rows), entry("odd", "zebra quagga okapi")))
    assert len(rows) not in [one.entry for one in found.candidates]


@given(st.text(max_size=300))
def test_hostile_text_is_a_question_like_any_other(text: str) -> None:
    assert all(0 <= one.confidence <= 1 for one in ask(text).candidates)


EVIDENCE = st.builds(Evidence, *[st.floats(0, 1)] * 9)


@given(EVIDENCE, EVIDENCE)
def test_confidence_is_a_probability_that_grows_with_likeness(one: Evidence, two: Evidence) -> None:
    assert 0 < confidence(one) < 1
    better = Evidence(
        coverage=1,
        phrasing=max(one.phrasing, two.phrasing),
        contained=max(one.contained, two.contained),
        specific=max(one.specific, two.specific),
        score=1,
        missing=min(one.missing, two.missing),
        astray=min(one.astray, two.astray),
        unknown=min(one.unknown, two.unknown),
        margin=max(one.margin, two.margin),
    )
    assert confidence(better) >= max(confidence(one), confidence(two))


@pytest.mark.parametrize(
    ("question", "explanation"),
    [
        ("How do I rebuild an index?", "reindex: confidence 0."),
        ("How do I rebuild an index in MongoDB?", "not_sure: the nearest, reindex, has confidence"),
        ("how do you do", "no_words: the question has no word"),
        ("x" * 2_000, "too_long: the question is longer than 1,000 characters"),
        ("weather in Rome", "nothing_near: "),
    ],
)
def test_a_trial_says_why(question: str, explanation: str) -> None:
    tried = try_on([DISK, REINDEX, DUMP, LOCKS, VIEWS], question, ANYBODY, SURE)
    assert tried["explanation"].startswith(explanation)
    assert tried["spoken"] is (tried["reason"] == "curated")
    assert (tried["answer"] != "") is tried["spoken"]


def test_a_subject_without_an_answer_is_never_spoken_and_stands_in_the_way() -> None:
    question = "How do I rebuild an index concurrently on a replica?"
    index = index_of(REINDEX, DUMP, subject(1, "Rebuilding an index on a replica"))
    found = ask(question, index)
    assert found.reason == "another_subject"
    assert found.candidates[0].entry == 2
    assert ask("How do I rebuild an index?", index).reason == "curated"
    tried = try_on(
        [REINDEX, DUMP, subject(1, "Rebuilding an index on a replica")], question, ANYBODY, SURE
    )
    assert not tried["spoken"]
    assert "subjects.txt" in tried["explanation"]
    assert tried["answer"] == ""


@given(
    st.lists(st.sampled_from(["table", "index", "lock", "view", "backup", "replica"]), max_size=4)
)
def test_whatever_the_subjects_are_none_of_them_is_spoken(words: list[str]) -> None:
    titles = [subject(number, f"{word} maintenance") for number, word in enumerate(words, start=1)]
    index = index_of(REINDEX, LOCKS, *titles)
    for title in titles:
        found = ask(title.questions[0], index)
        assert found.reason != "curated" or found.candidates[0].entry < index.spoken
        assert found.reason in {"another_subject", "not_sure", "two_subjects", "curated"}
