"""The check: quotes, coverage, numbers, names, denials and opposites, and hostile text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.evals.grounding.check import MOST_SENTENCES, Context, names_of
from steadyhand.evals.grounding.score import (
    GROUNDED_FROM,
    UNGROUNDED_BELOW,
    Scored,
    combined,
    judge,
    score,
    scored,
    scored_claims,
    state_of,
)

SHOP = (
    "Refunds are possible within 30 days of purchase. Shipping is free above 50 EUR. "
    "The warranty does not cover water damage. Sales in the north increased in 2024.",
    "Opening hours: 9 to 17, Monday to Friday. Our head office is in Lyon, France.",
)


@pytest.mark.parametrize(
    ("claim", "state"),
    [
        ("The warranty does not cover water damage.", "grounded"),
        ("Refunds are possible within 30 days of purchase.", "grounded"),
        ("You can get a refund within thirty days of your purchase.", "grounded"),
        ("The head office is in Lyon.", "grounded"),
        ("Shipping is free for orders above 50 EUR.", "grounded"),
        ("Refunds are possible within 14 days.", "ungrounded"),
        ("The warranty covers water damage.", "ungrounded"),
        ("Sales in the north decreased in 2024.", "ungrounded"),
        ("Our office in Berlin is open at weekends.", "ungrounded"),
        ("We were founded in 1987 by Anna Miller.", "ungrounded"),
        ("Shipping costs 5 EUR.", "ungrounded"),
    ],
)
def test_what_a_shop_may_say(claim: str, state: str) -> None:
    assert scored([claim], Context(SHOP))[0].state == state


def test_features_say_why() -> None:
    context = Context(SHOP)
    quoted = context.check("The warranty does not cover water damage.")
    assert quoted.features.quote == quoted.features.coverage == quoted.features.run == 1
    assert [context.sentences[at].segment for at in quoted.sentences] == [0]
    assert context.check("The warranty covers water damage.").features.negation == 1
    assert context.check("Sales in the north decreased in 2024.").features.direction > 0.6
    made_up = context.check("Zebras ate 77 Martians.").features
    assert (made_up.coverage, made_up.absent_numbers, made_up.names) == (0, 1, 1)
    both = context.check("Shipping is free above 50 EUR and the head office is in Lyon.")
    assert [context.sentences[at].segment for at in both.sentences] == [0, 1]


def test_words_of_structure_claim_nothing() -> None:
    found = Context(SHOP).check("It was of the and.")
    assert found.features.coverage == 0
    assert found.features.numbers == 1
    assert not found.sentences


def test_a_single_word_has_no_neighbours() -> None:
    assert Context(["Lyon."]).check("Lyon.").features.pairs == 0


def test_a_third_sentence_must_add_something() -> None:
    context = Context(["alpha beta gamma delta. Alpha again. Beta again. Gamma again."])
    assert len(context.check("alpha beta gamma delta").sentences) == 1
    long = " ".join(f"word{number}" for number in range(100))
    assert len(Context([f"{long}\nocean"]).check(f"{long} ocean").sentences) == 1


def test_what_is_gathered_from_far_apart_counts_less_than_what_stands_together() -> None:
    filler = "Nothing of this is asked about here. " * 6
    together = Context([f"The brown box is heavy. It weighs 30 kilograms. {filler}"])
    apart = Context([f"The brown box is heavy. {filler} It weighs 30 kilograms."])
    segments = Context(["The brown box is heavy.", "It weighs 30 kilograms."])
    claim = "The heavy brown box weighs 30 kilograms."
    assert together.check(claim).features.near == pytest.approx(1)
    assert apart.check(claim).features.near < 0.8
    assert segments.check(claim).features.near < 0.8
    assert apart.check(claim).features.coverage == pytest.approx(1)


def test_names_leave_the_first_word_out() -> None:
    assert names_of("Yesterday Anna and The Beatles came") == ["anna", "beatl"]


def test_a_context_is_read_to_a_bound() -> None:
    context = Context(["One is here.\n" * (MOST_SENTENCES + 10), "%", "Not read at all."])
    assert len(context.sentences) == MOST_SENTENCES
    assert Context(["...", ""]).is_empty


@pytest.mark.parametrize(
    ("answer", "segments", "reason"),
    [
        ("Refunds take 30 days.", (), "no_context"),
        ("Refunds take 30 days.", (" ", "\n"), "no_context"),
        ("Refunds take 30 days.", ("...",), "no_context"),
        ("Hello!", SHOP, "no_claim"),
        ("Refunds take 30 days.", ("Die Erstattung ist innerhalb von dreißig Tagen nach dem Kauf "
         "ohne Angabe von Gründen möglich und wird sofort bezahlt.",), "language"),
        ("Customers like buying from the shop.", SHOP, None),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_says_so(
    answer: str, segments: tuple[str, ...], reason: str | None
) -> None:
    found = judge(answer, segments)
    assert found.reason == reason
    assert (found.state == "not_measured") == (reason is not None)


def test_one_claim_from_nowhere_makes_an_answer_ungrounded() -> None:
    told = (
        "Refunds are possible within 30 days of purchase. We were founded in 1987 by Anna Miller."
    )
    found = judge(told, SHOP)
    assert (found.state, found.claims, found.grounded, found.ungrounded) == ("ungrounded", 2, 1, 1)
    assert found.worst == "We were founded in 1987 by Anna Miller."
    assert found.score is not None
    assert found.score < UNGROUNDED_BELOW


def test_each_claim_can_be_shown_with_its_score() -> None:
    found = scored_claims("Refunds are possible within 30 days of purchase. Hello!", SHOP)
    assert [(one.text, one.state) for one in found] == [
        ("Refunds are possible within 30 days of purchase.", "grounded")
    ]
    assert scored_claims("Refunds are possible within 30 days.", ()) == []


def test_between_the_limits_nothing_is_said() -> None:
    unsure = Scored("x", 0.3, state_of(0.3))
    sure = Scored("y", 0.9, state_of(0.9))
    assert combined([unsure]).state == combined([unsure, unsure, sure]).state == "not_measured"
    assert combined([unsure]).reason == "unsure"
    assert combined([unsure, sure]).state == "grounded"
    assert state_of(UNGROUNDED_BELOW) == "not_measured"
    assert state_of(GROUNDED_FROM) == "grounded"


HOSTILE = (
    "a " * 40_000,
    "A. " * 20_000,
    "(" * 30_000 + "[" * 30_000,
    "\u202e" * 10_000 + "paid 5 EUR",
    "\x00\x1b[31m" * 5_000,
    "no not never " * 5_000,
    "```" * 10_000,
    "I do not " * 7_000,
    "1,000.000." * 6_000,
    "[x](" * 15_000,
    "\ud7ff\u0301" * 10_000,
    "\u30101" * 20_000,
)


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_text_is_bounded_work(number: int) -> None:
    text = HOSTILE[number]
    assert judge(text, (text, *SHOP)).state in {"grounded", "ungrounded", "not_measured"}
    assert judge(text, SHOP).claims <= 60


@given(st.text(max_size=300), st.lists(st.text(max_size=300), max_size=3))
def test_whatever_is_said_has_a_verdict(answer: str, segments: list[str]) -> None:
    found = judge(answer, segments)
    assert (found.state == "not_measured") == (found.reason is not None)
    assert found == judge(answer, segments)
    for claim in (answer, *segments):
        features = Context(segments).check(claim).features
        assert all(0 <= value <= 1.0000001 for value in features)
        assert 0 <= score(features) <= 1
