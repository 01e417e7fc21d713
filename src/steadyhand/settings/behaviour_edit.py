"""Set and take back a simulated provider's behaviour in ``steadyhand.toml``, as text. Pure.

People's comments and order stay. What stood there before is kept in a comment on the new line, so
that mending brings it back; a result that says anything else than was meant is refused.
"""

import json
import re
import tomllib
from typing import Any

from steadyhand.core.errors import ConfigurationError
from steadyhand.settings.lines import KeyPath, key_lines

_LINE = re.compile(
    r"""^(?P<indent>\s*)(?P<key>(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^=#"'])+?)\s*="""
    r"""\s*(?P<value>"(?:[^"\\]|\\.)*"|'[^']*')\s*(?P<comment>#.*)?$"""
)
_NOTE = "# steadyhand upstreams mend takes this back"
_WAS = re.compile(re.escape(_NOTE) + r"(?: to (?P<was>\"(?:[^\"\\]|\\.)*\"))?\s*$")


class CannotEdit(ConfigurationError):
    """A file is written in a form that this command does not edit; it can be edited by hand."""

    code, status = "cannot_edit", 409


def set_behaviour(text: str, provider: str, behaviour: str, model: str = "") -> str:
    """Return ``text`` with ``behaviour`` for all models of ``provider``, or for ``model`` only.

    Raises:
        CannotEdit: The table is not written as ``[providers.<name>]`` with a key on each line.
    """
    values, path, lines = _read(text, provider, model)
    line = _at(lines, key_lines("".join(lines)).get(path), provider, behaviour)
    if line is None:
        at = _end_of_head(lines, provider)
        ending = lines[at - 1][len(lines[at - 1].rstrip("\r\n")) :] or "\n"
        if not lines[at - 1].endswith(("\n", "\r")):
            lines[at - 1] += ending
        lines.insert(at, f"{_key(model)} = {_quoted(behaviour)}  {_NOTE}{ending}")
    else:
        at, found = line
        noted = _WAS.search(found["comment"] or "")
        was = noted["was"] if noted else _quoted(_value(found["value"]))
        back = f" to {was}" if was else ""
        ending = lines[at][len(lines[at].rstrip("\r\n")) :]
        new = f"{found['indent']}{found['key']} = {_quoted(behaviour)}  {_NOTE}{back}"
        lines[at] = new + ending
    return _checked(lines, values, path, behaviour)


def unset_behaviour(text: str, provider: str, model: str = "") -> str:
    """Return ``text`` with what :func:`set_behaviour` did taken back.

    A behaviour that was written by hand becomes a comment. Without any, ``text`` stays as it is.

    Raises:
        CannotEdit: The key is not alone on its line.
    """
    values, path, lines = _read(text, provider, model)
    line = _at(lines, key_lines("".join(lines)).get(path), provider, "")
    if line is None:
        return text
    at, found = line
    noted = _WAS.search(found["comment"] or "")
    was = noted["was"] if noted else None
    if was:
        ending = lines[at][len(lines[at].rstrip("\r\n")) :]
        lines[at] = f"{found['indent']}{found['key']} = {was}{ending}"
    elif noted:
        del lines[at]
    else:
        lines[at] = f"{found['indent']}# {lines[at].lstrip()}"
    return _checked(lines, values, path, _value(was) if was else None)


def _read(text: str, provider: str, model: str) -> tuple[dict[str, Any], KeyPath, list[str]]:
    own: KeyPath = ("behaviours", model) if model else ("behaviour",)
    return tomllib.loads(text), ("providers", provider, *own), text.splitlines(keepends=True)


def _at(
    lines: list[str], number: int | None, provider: str, behaviour: str
) -> tuple[int, re.Match[str]] | None:
    """Return the index of the key's line and its parts, or ``None`` if there is no such key."""
    if number is None:
        return None
    found = _LINE.match(lines[number - 1].rstrip("\r\n"))
    if found is None:
        raise _refused(provider, behaviour, number)
    return number - 1, found


def _end_of_head(lines: list[str], provider: str) -> int:
    """Return where a key of the provider's table may be put in: below its ``kind``."""
    known = key_lines("".join(lines))
    header, kind = known.get(("providers", provider)), known.get(("providers", provider, "kind"))
    if header is None or kind is None or not lines[header - 1].lstrip().startswith("["):
        raise _refused(provider, "...", header)
    return kind


def _checked(lines: list[str], before: dict[str, Any], path: KeyPath, wanted: str | None) -> str:
    """Return the text of ``lines`` if it says what it said before but for ``path``."""
    text = "".join(lines)
    try:
        after = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise _refused(str(path[1]), wanted or "", None) from None
    if _without(after, path) != _without(before, path) or _get(after, path) != wanted:
        raise _refused(str(path[1]), wanted or "", None)
    return text


def _get(values: dict[str, Any], path: KeyPath) -> object:
    value: Any = values
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _without(values: dict[str, Any], path: KeyPath) -> dict[str, Any]:
    """Return ``values`` without what is at ``path``, nor a table that it leaves empty."""
    head, *rest = path
    copy = dict(values)
    inner = copy.get(str(head))
    if not rest:
        copy.pop(str(head), None)
    elif isinstance(inner, dict):
        copy[str(head)] = _without(inner, tuple(rest))
        if not copy[str(head)]:
            del copy[str(head)]
    return copy


def _key(model: str) -> str:
    if not model:
        return "behaviour"
    bare = re.fullmatch(r"[A-Za-z0-9_-]+", model)
    return f"behaviours.{model if bare else _quoted(model)}"


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _value(written: str) -> str:
    value: str = tomllib.loads(f"v = {written}")["v"]
    return value


def _refused(provider: str, behaviour: str, line: int | None) -> CannotEdit:
    place = f"line {line} of " if line else ""
    return CannotEdit(
        f"{place}steadyhand.toml is written in a form that this command does not edit",
        hint=f"by hand: behaviour = {_quoted(behaviour)} in a table [providers.{provider}], each "
        "key on a line of its own",
    )
