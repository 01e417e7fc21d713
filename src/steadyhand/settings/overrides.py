"""Lay environment and flags over ``steadyhand.toml``: file < environment < flags. Pure.

``STEADYHAND_SERVER__PORT=9000`` sets ``[server] port``: the prefix, then the keys in upper case
with two underscores between levels and ``_`` for ``-``. A value that begins with ``[`` or ``{`` is
JSON, everything else is a string that the setting's type converts. Variables without two
underscores (``STEADYHAND_WORKSPACE``) belong to the commands and are left alone.
"""

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

from steadyhand.settings.document import Document, Report
from steadyhand.settings.lines import KeyPath
from steadyhand.settings.problems import nearest

PREFIX = "STEADYHAND_"
LEVEL = "__"


def overlay(
    document: Document,
    sections: Sequence[str],
    environment: Mapping[str, str],
    flags: Mapping[str, object],
    report: Report,
) -> Document:
    """Return ``document`` with environment and then flags laid over it.

    Args:
        document: The file.
        sections: Names of the top tables that may be set.
        environment: All variables; those that are not ours are ignored.
        flags: Key with dots → value, ``None`` if the flag was not given.
        report: Where unknown names go.
    """
    changed = replace(document, values=deepcopy(document.values), origins=dict(document.origins))
    for name in sorted(environment):
        if name.startswith(PREFIX) and LEVEL in name:
            keys = name.removeprefix(PREFIX).lower().split(LEVEL)
            _put(changed, sections, keys, environment[name], f"environment {name}", report)
    for name, value in flags.items():
        if value is not None:
            _put(changed, sections, name.split("."), value, f"flag {name}", report)
    return changed


def variable(path: Sequence[str]) -> str:
    """Return the environment variable that sets ``path``."""
    return PREFIX + LEVEL.join(part.upper().replace("-", "_") for part in path)


def _put(
    document: Document,
    sections: Sequence[str],
    keys: Sequence[str],
    value: object,
    origin: str,
    report: Report,
) -> None:
    if keys[0] not in sections:
        report.add_file(
            "E0108",
            origin,
            f"there is no section {keys[0]!r}",
            hint=_did_you_mean(keys[0], sections),
        )
        return
    table: Any = document.values
    path: KeyPath = ()
    for key in keys[:-1]:
        name = _existing(table, key)
        path = (*path, name)
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            report.add_file("E0108", origin, f"{'.'.join(map(str, path))} is not a section")
            return
    last = _existing(table, keys[-1])
    try:
        table[last] = _read(value)
    except ValueError as error:
        report.add_file("E0108", origin, f"not JSON: {error}")
        return
    document.origins[*path, last] = origin


def _existing(table: Mapping[str, object], key: str) -> str:
    """Return the key of ``table`` that a variable's lower-case part means, or that part itself."""
    return next((name for name in table if name.lower().replace("-", "_") == key), key)


def _read(value: object) -> object:
    if isinstance(value, str) and value[:1] in {"[", "{"}:
        return json.loads(value)
    return value


def _did_you_mean(name: str, known: Sequence[str]) -> str:
    close = nearest(name, known)
    return f"did you mean {close!r}?" if close else f"sections are {', '.join(known)}"
