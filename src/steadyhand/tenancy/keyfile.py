"""Edit ``keys.toml`` as text, so that people's comments and order stay. Pure."""

import json
import re

from steadyhand.core.errors import ConfigurationError
from steadyhand.tenancy.settings import KeySettings

_HEADER = re.compile(r"^\s*\[")


class KeyExists(ConfigurationError):
    """``keys.toml`` has a key of this name already."""

    code, status = "key_exists", 409


class KeyMissing(ConfigurationError):
    """``keys.toml`` has no key of this name."""

    code, status = "key_missing", 404


def _header(name: str) -> re.Pattern[str]:
    return re.compile(rf"""^\s*\[\s*keys\s*\.\s*(["']?){re.escape(name)}\1\s*\]\s*(#.*)?$""")


def _find(lines: list[str], name: str) -> int | None:
    header = _header(name)
    return next((at for at, line in enumerate(lines) if header.match(line)), None)


def _array(values: tuple[str, ...]) -> str:
    return json.dumps(list(values), ensure_ascii=False)


def add_key(text: str, name: str, key: KeySettings) -> str:
    """Return ``text`` with a table for ``key`` at its end.

    Raises:
        KeyExists: ``text`` has a table of that name; two keys cannot share one.
    """
    if _find(text.splitlines(), name) is not None:
        raise KeyExists(
            f"key {name!r} exists already",
            hint=f"choose another name, or: steadyhand key revoke {name}",
        )
    before = text.rstrip("\n")
    quoted = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)
    table = [
        f"[keys.{quoted}]",
        f"hash = {json.dumps(key.hash)}",
        f"tenant = {json.dumps(key.tenant)}",
        f"channel = {json.dumps(key.channel)}",
        f"routes = {_array(key.routes)}",
        f"models = {_array(key.models)}",
    ]
    return (f"{before}\n\n" if before else "") + "\n".join(table) + "\n"


def remove_key(text: str, name: str) -> str:
    """Return ``text`` without the table of key ``name``: its header up to the next header.

    Comments directly above the next header belong to that one and stay.

    Raises:
        KeyMissing: There is no such table.
    """
    lines = text.splitlines(keepends=True)
    start = _find([line.rstrip("\r\n") for line in lines], name)
    if start is None:
        raise KeyMissing(f"no key {name!r} in keys.toml", hint="list them: steadyhand key list")
    end = start + 1
    while end < len(lines) and not _HEADER.match(lines[end]):
        end += 1
    if end < len(lines):
        while end > start + 1 and lines[end - 1].lstrip()[:1] in {"#", ""}:
            end -= 1
        if lines[end].strip() == "":
            end += 1
    return "".join(lines[:start] + lines[end:])
