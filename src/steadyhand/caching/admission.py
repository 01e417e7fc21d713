"""Whether an answer may be kept: only whole, plain text that a model meant as its answer. Pure.

Whoever offers one has left out refusals, tool calls and several choices already; what a finish
reason tells is checked again here, as a cut answer that is kept is told to many.
"""

from typing import Literal, Protocol

from steadyhand.core.chat import Usage

MOST_CONTENT_CHARACTERS = 262_144
"""A longer answer is not kept: a few of them would be all of the hot tier."""
WHOLE = frozenset({"stop", "end_turn"})
"""Finish reasons of an answer that ended by itself."""

NotKept = Literal["content_filter", "empty", "flushed", "too_long", "tools", "truncated"]
"""Why an answer is not kept. ``flushed``: it was asked for before the last flush."""

_ENDED_OTHERWISE: dict[str, NotKept] = {
    "content_filter": "content_filter",
    "function_call": "tools",
    "tool_calls": "tools",
}


class Given(Protocol):
    """What a live rung answered, as far as it matters here."""

    @property
    def content(self) -> str:
        """The text of the first choice."""
        ...

    @property
    def finish_reason(self) -> str:
        """As the provider gave it."""
        ...

    @property
    def model(self) -> str:
        """What upstream says it was."""
        ...

    @property
    def deployment(self) -> str:
        """``provider/model`` that gave it."""
        ...

    @property
    def usage(self) -> Usage | None:
        """As counted upstream."""
        ...


def refusal(answer: Given) -> NotKept | None:
    """Return why ``answer`` may not be kept, or ``None`` if it may."""
    found = _ENDED_OTHERWISE.get(answer.finish_reason)
    if found is not None:
        return found
    if answer.finish_reason not in WHOLE:  # "length", none, and whatever comes tomorrow
        return "truncated"
    if not answer.content:
        return "empty"
    return "too_long" if len(answer.content) > MOST_CONTENT_CHARACTERS else None
