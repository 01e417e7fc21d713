"""Only whole, plain answers are kept."""

import pytest

from steadyhand.caching.admission import MOST_CONTENT_CHARACTERS, refusal
from tests.support.questions import answer


@pytest.mark.parametrize(
    ("content", "finish_reason", "expected"),
    [
        ("yes", "stop", None),
        ("yes", "end_turn", None),
        ("yes", "length", "truncated"),
        ("yes", "", "truncated"),
        ("yes", "something_new", "truncated"),
        ("yes", "content_filter", "content_filter"),
        ("yes", "tool_calls", "tools"),
        ("yes", "function_call", "tools"),
        ("", "stop", "empty"),
        ("x" * MOST_CONTENT_CHARACTERS, "stop", None),
        ("x" * (MOST_CONTENT_CHARACTERS + 1), "stop", "too_long"),
    ],
)
def test_what_is_kept(content: str, finish_reason: str, expected: str | None) -> None:
    assert refusal(answer(content, finish_reason)) == expected
