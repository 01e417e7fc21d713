"""Claims: what claims nothing is left out, and an answer without a claim says why."""

import pytest

from steadyhand.evals.grounding.claims import MOST_CLAIMS, claims_of, is_claim, is_english


def test_an_answer_is_split_into_what_it_claims() -> None:
    answer = (
        "Hello! Great question.\n\n# Refunds\n"
        "Refunds are possible within **30 days** [1]. Do you want one?\n"
        "- Shipping is free above 50 EUR, see [terms](https://example.test/a).\n"
        "1. The warranty lasts two years [^2]\u30103\u2020source\u3011.\n"
        "| Item | Price |\n|------|-------|\n| Big brown box | 5 EUR |\n"
        "```sql\nSELECT 1 FROM refunds WHERE day < 30;\n```\n"
        "Let me know if you need more."
    )
    assert claims_of(answer).texts == [
        "Refunds are possible within 30 days .",
        "Shipping is free above 50 EUR, see terms.",
        "The warranty lasts two years .",
        "Big brown box   5 EUR",
    ]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "no_claim"),
        ("Hello!", "no_claim"),
        ("Is it that? Or is it another thing altogether?", "no_claim"),
        ("I don't know the answer to that.", "refusal"),
        ("The document does not mention the price of shipping.", "refusal"),
        ("There is not enough information about opening hours here.", "refusal"),
        ("The opening hours are not stated anywhere in the text.", "refusal"),
        ("```python\nprint('all of it is code')\n```", "code_only"),
        ("~~~\n```\nunfinished fence", "code_only"),
        ("Die Erstattung ist innerhalb von dreißig Tagen nach dem Kauf ohne Angabe von Gründen "
         "möglich und wird sofort bezahlt.", "language"),
        ("\u9000\u6b3e\u53ef\u5728\u8d2d\u4e70\u540e\u4e09\u5341\u5929\u5185", "language"),
    ],
)  # fmt: skip
def test_an_answer_without_a_claim_says_why(answer: str, reason: str) -> None:
    assert claims_of(answer) == ((), reason, 0)


def test_a_refusal_beside_a_claim_leaves_the_claim() -> None:
    found = claims_of("The box weighs two kilograms. I don't know what it costs, sadly.")
    assert found.texts == ["The box weighs two kilograms."]
    assert found.reason is None


def test_only_so_many_claims_are_checked() -> None:
    found = claims_of("The brown box weighs two kilograms.\n" * (MOST_CLAIMS + 5))
    assert len(found.texts) == MOST_CLAIMS
    assert found.left_out == 5


def test_a_number_makes_a_short_sentence_a_claim() -> None:
    assert is_claim("It is 30.")
    assert not is_claim("It is so.")
    assert is_english("")
    assert is_english("Bonjour Madame")
