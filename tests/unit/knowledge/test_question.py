import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.knowledge.question import LONGEST, asked


def raw(*messages: object) -> list[msgspec.Raw]:
    return [msgspec.Raw(json.dumps(message).encode()) for message in messages]


def user(content: object) -> dict[str, object]:
    return {"role": "user", "content": content}


SYSTEM = {"role": "system", "content": "Be kind."}
DEVELOPER = {"role": "developer", "content": "Be kind."}
ASSISTANT = {"role": "assistant", "content": "Yes."}
IMAGE = {"type": "image_url", "image_url": {"url": "data:,"}}
HOW, BIG = {"type": "text", "text": "How"}, {"type": "text", "text": "big?"}


@pytest.mark.parametrize(
    ("messages", "text", "reason"),
    [
        ([user(" How big? ")], "How big?", ""),
        ([SYSTEM, user("How big?")], "How big?", ""),
        ([DEVELOPER, user("How big?")], "How big?", ""),
        ([user([HOW, BIG])], "How\nbig?", ""),
        ([user([HOW, IMAGE])], "", "not_text"),
        ([user(None)], "", "not_text"),
        ([user(7)], "", "not_text"),
        ([{"content": "no role"}], "", "not_text"),
        (["text"], "", "not_text"),
        ([user("  ")], "", "no_question"),
        ([], "", "no_question"),
        ([user("How big?"), ASSISTANT], "", "no_question"),
        ([user("How big?"), {"role": "tool", "content": "7"}], "", "no_question"),
        ([user("x" * LONGEST)], "x" * LONGEST, ""),
        ([user("a " * 500_000)], "", "too_long"),
    ],
)
def test_the_last_message_is_the_question(messages: list[object], text: str, reason: str) -> None:
    found = asked(raw(*messages))
    assert (found.text, found.reason) == (text, reason)


@pytest.mark.parametrize(
    ("text", "stands_alone"),
    [
        ("How do I rebuild a broken index?", True),
        ("in version 14?", False),
        ("and how do I rebuild a broken index?", False),
        ("how do I rebuild it without a lock?", False),
        ("what would the same query cost again?", False),
    ],
)
def test_inside_a_conversation_a_question_must_stand_alone(text: str, stands_alone: bool) -> None:
    before = [user("Hello"), ASSISTANT]
    assert (asked(raw(*before, user(text))).reason == "") is stands_alone
    assert asked(raw(user(text))).reason == ""


def test_a_message_that_cannot_be_read_counts_as_conversation() -> None:
    broken = msgspec.Raw(b"[" * 100_000)
    question = raw(user("how do I rebuild it without a lock?"))
    assert asked([broken, *question]).reason == "needs_context"
    assert asked([broken]).reason == "not_text"


@given(st.text(max_size=50), st.lists(st.text(max_size=20), max_size=3))
def test_any_conversation_is_read(text: str, before: list[str]) -> None:
    found = asked(raw(*map(user, before), user(text)))
    assert (found.text == "") == (found.reason != "")
