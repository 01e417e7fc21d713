import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.knowledge.common_words import common_stems
from steadyhand.knowledge.words import LONGEST_TERM, fold, is_light, stem, terms, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("restoring", "restore"),
        ("queries", "query"),
        ("dropped", "drops"),
        ("indexes", "index"),
        ("configuration", "configure"),
        ("replicated", "replication"),
        ("processes", "process"),
        ("connections", "connected"),
        ("vacuuming", "vacuum"),
    ],
)
def test_forms_of_a_word_are_one_term(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize("word", ["string", "access", "status", "set", "été", "15", "b2b"])
def test_what_only_looks_like_an_ending_stays(word: str) -> None:
    assert stem(word) == word


def test_an_identifier_is_its_parts_and_itself() -> None:
    assert words("Use pg_dump_all!") == ["use", "pg", "dump", "all", "pg_dump_all"]
    assert set(terms("pg dump")) < set(terms("pg_dump"))
    assert words("__ _ ___") == []


def test_case_width_and_accents_do_not_count() -> None:
    assert fold("\uff36acuum Café") == "vacuum cafe"


def test_scripts_without_spaces_become_pairs() -> None:
    assert words("数据库备份") == ["数据", "据库", "库备", "备份"]
    assert words("備 份") == ["備", "份"]


def test_words_that_only_ask_are_left_out() -> None:
    assert terms("How do I do it?") == []


def test_small_numbers_and_common_words_are_light() -> None:
    assert is_light("15")
    assert not is_light("8601")
    assert is_light(stem("really"))
    assert not is_light("vacuum")
    assert "mongodb" not in common_stems()


@given(st.text(max_size=200))
def test_any_text_has_bounded_terms(text: str) -> None:
    assert all(0 < len(term) <= LONGEST_TERM for term in terms(text))
