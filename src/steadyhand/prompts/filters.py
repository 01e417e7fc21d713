"""What a template may do to a value: the whole list. Pure; none can be given a function.

Each says what it takes and gives, so that a template is checked when it is read, not when a request
is there.
"""

import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple


class Filter(NamedTuple):
    """A filter.

    Attributes:
        takes: Kinds of value that it can be put on.
        gives: Kind of its value; ``same`` for that of an item of the list.
        arguments: Types of its arguments, in order; those past ``needed`` may be left out.
        needed: How many arguments there must be.
        apply: Does it: ``apply(value, *arguments)``.
    """

    takes: frozenset[str]
    gives: str
    arguments: tuple[type, ...]
    needed: int
    apply: Callable[..., Any]


_TEXT: Final = frozenset({"text"})
_LIST: Final = frozenset({"texts", "records"})
_ANY: Final = _TEXT | _LIST | {"integer", "number", "boolean", "record"}


def spoken(value: Any) -> str:
    """Return a single value as a template says it; ``true`` and ``false`` in lower case."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def _truncate(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: max(length - 1, 0)]}…"


def _indent(text: str, width: int) -> str:
    return text.replace("\n", "\n" + " " * min(width, 40))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _join(texts: list[str], between: str = "") -> str:
    return between.join(texts)


FILTERS: Final[dict[str, Filter]] = {
    "upper": Filter(_TEXT, "text", (), 0, str.upper),
    "lower": Filter(_TEXT, "text", (), 0, str.lower),
    "capitalize": Filter(_TEXT, "text", (), 0, str.capitalize),
    "trim": Filter(_TEXT, "text", (), 0, str.strip),
    "truncate": Filter(_TEXT, "text", (int,), 1, _truncate),
    "indent": Filter(_TEXT, "text", (int,), 1, _indent),
    "join": Filter(frozenset({"texts"}), "text", (str,), 0, _join),
    "length": Filter(_TEXT | _LIST, "integer", (), 0, len),
    "tojson": Filter(_ANY, "text", (), 0, _json),
}
"""Name → filter."""
