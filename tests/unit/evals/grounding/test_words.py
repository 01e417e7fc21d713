"""Words: numbers are the same however they are written, and sentences end where a reader ends."""

import pytest

from steadyhand.evals.grounding.words import (
    LONGEST_SENTENCE,
    LONGEST_WORD,
    is_number,
    seen,
    sentences,
    stem,
    term_of,
    words,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3,000", "3000"),
        ("Twelve", "12"),
        ("fifty", "50"),
        ("2.50", "2.5"),
        ("21st", "21"),
        ("Sept", "September"),
        ("Dec", "December"),
        ("companies", "company"),
        ("refunded", "refunds"),
        ("running", "runs"),
        ("classes", "class"),
        ("Café", "cafe"),
        ("Anna's", "Anna"),
        ("Anna\u2019s", "anna"),
        ("U.S", "US"),
        ("installation", "install"),
        ("measurement", "measure"),
    ],
)
def test_the_same_in_other_letters(one: str, other: str) -> None:
    assert term_of(one) == term_of(other)


@pytest.mark.parametrize(
    ("one", "other"), [("30", "14"), ("2.5", "25"), ("1.2.3", "1.2"), ("bus", "bu"), ("1a", "1")]
)
def test_another(one: str, other: str) -> None:
    assert term_of(one) != term_of(other)


def test_a_mark_alone_is_itself() -> None:
    assert term_of("%") == "%"
    assert term_of("\u0301") == "\u0301"
    assert is_number("30")
    assert not is_number("may")


def test_words_keep_what_belongs_together_and_are_cut() -> None:
    assert words("It's 3,000.5 km, isn't it? 50%") == [
        "It's",
        "3,000.5",
        "km",
        "isn't",
        "it",
        "50",
        "%",
    ]
    assert words("x" * 1000) == ["x" * LONGEST_WORD]
    assert words("ab\u4e2d") == ["ab\u4e2d"]


def test_stems_of_what_is_not_english() -> None:
    assert stem("\u4e2d\u6587\u4e2d\u6587") == "\u4e2d\u6587\u4e2d\u6587"
    assert stem("thing") == "thing"
    assert stem("gas") == "gas"


def test_what_is_not_seen_is_not_compared() -> None:
    assert seen("pay\u202epal\u200b \uff11\uff12") == "paypal 12"
    assert seen("a\x00b\tc") == "ab\tc"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("One here. Two there! Three?", ["One here.", "Two there!", "Three?"]),
        ("Dr. Smith came. He left.", ["Dr. Smith came.", "He left."]),
        ("It is e.g. Good. \u201cYes.\u201d He", ["It is e.g. Good.", "\u201cYes.\u201d", "He"]),
        ("version 1.2 is out. ok then", ["version 1.2 is out. ok then"]),
        ("a\n\n b", ["a", "b"]),
        ("", []),
    ],
)
def test_sentences(text: str, found: list[str]) -> None:
    assert sentences(text) == found


def test_a_giant_sentence_is_cut() -> None:
    assert [len(one) for one in sentences("x" * (2 * LONGEST_SENTENCE + 1))] == [
        LONGEST_SENTENCE,
        LONGEST_SENTENCE,
        1,
    ]
