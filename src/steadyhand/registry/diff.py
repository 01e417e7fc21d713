"""What differs between two releases, by what it means rather than by line. Pure.

Tables (routes, front matter, the SLO class) are compared key by key; texts by line and by size, as
a prompt's tokens are what it costs.
"""

import difflib
import json
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from steadyhand.prompts.tokens import estimated

_FENCE: Final = "+++"
_SHOWN: Final = 120


class Value(NamedTuple):
    """A key of a table that differs.

    Attributes:
        path: Of the file.
        key: With dots: ``rungs.0.model``.
        before: As JSON, empty for absent.
        after: As JSON, empty for absent.
    """

    path: str
    key: str
    before: str
    after: str


class Text(NamedTuple):
    """A text that differs.

    Attributes:
        path: Of the file.
        lines: Of a unified diff.
        tokens: How many more it has, estimated.
    """

    path: str
    lines: tuple[str, ...]
    tokens: int


class Difference(NamedTuple):
    """All that differs.

    Attributes:
        added: Paths that only the second has.
        removed: Paths that only the first has.
        values: Keys of tables.
        texts: Texts.
        prompt_tokens: How many more tokens the prompts and pinned sections have, estimated.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    values: tuple[Value, ...]
    texts: tuple[Text, ...]
    prompt_tokens: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs."""
        return not (self.added or self.removed or self.values or self.texts)


def difference(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Difference:
    """Return what differs between the files of two releases."""
    values: list[Value] = []
    texts: list[Text] = []
    for path in sorted(before.keys() & after.keys()):
        if before[path] == after[path]:
            continue
        old_table, old_text = parts(path, before[path])
        new_table, new_text = parts(path, after[path])
        values += _values(path, old_table, new_table)
        if old_text != new_text:
            texts.append(_text(path, old_text, new_text))
    return Difference(
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        values=tuple(values),
        texts=tuple(texts),
        prompt_tokens=prompt_tokens(after) - prompt_tokens(before),
    )


def prompt_tokens(files: Mapping[str, bytes]) -> int:
    """Return about how many tokens a request gets by the prompts and sections in ``files``."""
    return sum(
        estimated(parts(path, content)[1])
        for path, content in files.items()
        if path.startswith(("prompts/", "knowledge/"))
    )


def parts(path: str, content: bytes) -> tuple[dict[str, Any], str]:
    """Return table and text of a file; what cannot be read is text."""
    text = content.decode("utf-8", "replace")
    try:
        if path.endswith(".toml"):
            return tomllib.loads(text), ""
        if path.endswith(".json"):
            found = json.loads(text)
            return (found, "") if isinstance(found, dict) else ({}, text)
        if text.startswith(_FENCE):
            _, table, rest = text.split(_FENCE, 2)
            return tomllib.loads(table), rest.strip()
    except ValueError:
        return {}, text
    return {}, text


def as_lines(found: Difference) -> list[str]:
    """Return a difference for people to read."""
    if found.is_empty:
        return ["nothing differs"]
    lines = [f"+ {path}" for path in found.added] + [f"- {path}" for path in found.removed]
    for value in found.values:
        before, after = value.before or "(absent)", value.after or "(absent)"
        lines.append(f"~ {value.path} {value.key}: {_short(before)} -> {_short(after)}")
    for text in found.texts:
        lines += [f"~ {text.path} ({text.tokens:+,} tokens)", *(f"    {x}" for x in text.lines)]
    if found.prompt_tokens:
        lines.append(f"about {found.prompt_tokens:+,} prompt tokens a request")
    return lines


def _values(path: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Value]:
    old, new = dict(_flat(before)), dict(_flat(after))
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            yield Value(path, key, old.get(key, ""), new.get(key, ""))


def _flat(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    below: list[tuple[object, object]] = []
    if isinstance(value, dict):
        below = list(value.items())
    elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
        below = list(enumerate(value))
    if not below and key:
        yield key, json.dumps(value, ensure_ascii=False, default=str)
    for name, one in below:
        yield from _flat(one, f"{key}.{name}" if key else f"{name}")


def _text(path: str, before: str, after: str) -> Text:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1)
    return Text(path, tuple(list(lines)[2:]), estimated(after) - estimated(before))


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
