"""What a prompt's text says, and what is wrong with it. Pure; needs no parser."""

import re
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from steadyhand.prompts.model import Template, Text

MAX_BYTES: Final = 131_072
"""Largest file of a prompt."""

Partial = tuple[str, str, int]
"""Path of a partial's file, its text, and the line of the file where the text begins."""

_IS_TEMPLATE: Final = re.compile(r"\{[{%#]")


class Mistake(NamedTuple):
    """Something that a template must not say.

    Attributes:
        code: Of the workspace problem.
        file: Path, or empty for the prompt's own file.
        line: Of that file, from 1.
        reason: What is wrong, without a full stop.
        nearest: The valid name that may have been meant.
        hint: What to do.
    """

    code: str
    file: str
    line: int
    reason: str
    nearest: str | None = None
    hint: str = ""


@dataclass(slots=True)
class Parsed:
    """What a text says.

    Attributes:
        templates: One for each message; of no use if there are mistakes.
        mistakes: What is wrong.
        used: Names of the variables that are used.
        partials: Paths of the partials that are used.
    """

    templates: tuple[Template, ...] = ()
    mistakes: list[Mistake] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    partials: set[str] = field(default_factory=set)


def is_template(text: str) -> bool:
    """Tell whether ``text`` has anything in it that a parser must read."""
    return _IS_TEMPLATE.search(text) is not None


def plain(text: str) -> Parsed:
    """Return ``text``, which is no template, as one message of the system."""
    stripped = text.strip()
    return Parsed((Template("system", (Text(stripped),)),) if stripped else ())
