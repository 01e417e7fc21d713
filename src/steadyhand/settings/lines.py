"""Find the line on which a TOML key stands. Pure.

``tomllib`` gives values without places, and people need places. This scan trusts that the text
parses; it follows headers, dotted and quoted keys, and skips what stands inside multi-line strings
and arrays. A key inside an inline table or an array is found at the line of the key that holds it.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping

KeyPath = tuple[str | int, ...]
"""Keys and array positions from the top of a file, for example ``("rungs", 0, "model")``."""

_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|\'[^\']*\'|[A-Za-z0-9_-]+)\s*(\.)?')
# What can open or close something that spans lines; strings and comments come first, whole.
_PIECE = re.compile(
    r'"""|\'\'\'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#[^\n]*|[\[\]{}]',
)


def key_lines(text: str, *, first_line: int = 1) -> dict[KeyPath, int]:
    """Return the line number of every table header and key in ``text``.

    Args:
        text: TOML that parses.
        first_line: Number of its first line; above 1 when it is part of a file.
    """
    found: dict[KeyPath, int] = {}
    table: KeyPath = ()
    entries: dict[KeyPath, int] = {}
    for number, line in _statements(text, first_line):
        stripped = line.strip()
        if stripped.startswith("["):
            is_entry = stripped.startswith("[[")
            table = _resolve(_names(stripped.lstrip("[")), entries)
            if is_entry:
                entries[table] = entries.get(table, -1) + 1
                found.setdefault(table, number)
                table = (*table, entries[table])
            found.setdefault(table, number)
        else:
            path = table
            for name in _names(stripped):
                path = (*path, name)
                found.setdefault(path, number)
    return found


def line_of(lines: Mapping[KeyPath, int], path: KeyPath) -> int | None:
    """Return the line of ``path``, or of the nearest key that holds it, or ``None``."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def _statements(text: str, first_line: int) -> Iterator[tuple[int, str]]:
    """Yield the first line of each header or ``key = value``, with its number."""
    closer: str | None = None  # the quotes that end a multi-line string, if in one
    depth = 0  # of brackets and braces
    for number, line in enumerate(text.split("\n"), start=first_line):
        starts_here = closer is None and depth == 0
        if starts_here and line.strip() and not line.lstrip().startswith("#"):
            yield number, line
        is_header = starts_here and line.lstrip().startswith("[")
        if not is_header:
            closer, depth = _after(line, closer, depth)


def _after(line: str, closer: str | None, depth: int) -> tuple[str | None, int]:
    """Return the open multi-line string and the depth after ``line``."""
    at = 0
    while at < len(line):
        if closer is not None:
            end = _end_of_string(line, at, closer)
            if end is None:
                return closer, depth
            at, closer = end, None
            continue
        piece = _PIECE.search(line, at)
        if piece is None:
            break
        at = piece.end()
        text = piece.group()
        if text in {'"""', "'''"}:
            closer = text
        elif text in "[{":
            depth += 1
        elif text in "]}":
            depth -= 1
    return closer, depth


def _end_of_string(line: str, at: int, closer: str) -> int | None:
    """Return where a multi-line string that is open at ``at`` ends on ``line``, if it does."""
    while at < len(line):
        if closer == '"""' and line[at] == "\\":
            at += 2
            continue
        if line.startswith(closer, at):
            at += 3
            while at < len(line) and line[at] == closer[0]:  # up to two quotes may belong to it
                at += 1
            return at
        at += 1
    return None


def _names(text: str) -> list[str]:
    names: list[str] = []
    token = _TOKEN.match(text)
    while token:
        name = token.group(1)
        names.append(_unquote(name) if name[0] in "\"'" else name)
        token = _TOKEN.match(text, token.end()) if token.group(2) else None
    return names


def _unquote(quoted: str) -> str:
    value: str = tomllib.loads(f"v = {quoted}")["v"]
    return value


def _resolve(names: list[str], entries: Mapping[KeyPath, int]) -> KeyPath:
    """Put in the positions of the array entries that a header's names go through."""
    path: KeyPath = ()
    for index, name in enumerate(names):
        path = (*path, name)
        if index < len(names) - 1 and path in entries:
            path = (*path, entries[path])
    return path
