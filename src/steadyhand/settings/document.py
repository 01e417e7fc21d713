"""A TOML file with the place of each key, and the report that collects what is wrong."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from steadyhand.settings.lines import KeyPath, key_lines, line_of
from steadyhand.settings.problems import HIDDEN, Problem, as_written

_TOML_PLACE = re.compile(r"\s*\(at (?:line (?P<line>\d+), column \d+|end of document)\)$")
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Document:
    """What one file says.

    Attributes:
        name: Path relative to the workspace.
        values: The parsed tables.
        lines: Where keys stand.
        origins: Keys that an environment variable or a flag has set → which one.
    """

    name: str
    values: dict[str, Any]
    lines: Mapping[KeyPath, int]
    origins: dict[KeyPath, str] = field(default_factory=dict)

    def place(self, path: KeyPath) -> str:
        """Return where ``path`` was set: a variable, a flag, or ``file:line``."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
        line = line_of(self.lines, path)
        return self.name if line is None else f"{self.name}:{line}"

    def value(self, path: KeyPath) -> object:
        """Return the value at ``path``, or a private mark if there is none."""
        value: Any = self.values
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return _ABSENT
        return value


class Report:
    """Collects problems; of several at one key only the first is kept.

    The first is the most telling: a literal secret is also a value of the wrong form.
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._seen: set[tuple[str, KeyPath]] = set()
        self._hidden: set[tuple[str, KeyPath]] = set()

    def add(
        self,
        code: str,
        document: Document,
        path: KeyPath,
        reason: str,
        *,
        nearest: str | None = None,
        hint: str = "",
        hide: bool = False,
    ) -> None:
        """Note a problem at ``path`` of ``document``; with ``hide`` no problem shows its value."""
        if (document.name, path) in self._seen:
            return
        self._seen.add((document.name, path))
        if hide:
            self._hidden.add((document.name, path))
        hides = any(
            name == document.name and inner[: len(path)] == path for name, inner in self._hidden
        )
        value = document.value(path)
        written = "" if value is _ABSENT or isinstance(value, dict) else as_written(value)
        self.problems.append(
            Problem(
                code=code,
                path=document.place(path),
                key=dotted(path),
                value=HIDDEN if hides else written,
                reason=reason,
                nearest=nearest,
                hint=hint,
            )
        )

    def add_file(self, code: str, path: str, reason: str, *, hint: str = "") -> None:
        """Note a problem of a file as a whole, or of a line of it that has no key."""
        self.problems.append(Problem(code, path, "", "", reason, hint=hint))


def dotted(path: KeyPath) -> str:
    """Return ``path`` as people write it: ``rungs[0].model``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read_text(root: Path, name: str, report: Report) -> str | None:
    """Return the text of the file ``name`` below ``root``, or ``None`` and a problem."""
    try:
        return (root / name).read_bytes().decode("utf-8")
    except OSError as error:
        report.add_file("E0102", name, f"cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        report.add_file("E0102", name, f"not UTF-8 at byte {error.start}", hint="save it as UTF-8")
    return None


def parse(name: str, text: str, report: Report, *, first_line: int = 1) -> Document | None:
    """Return ``text`` as a document, or ``None`` and a problem that names the line.

    Args:
        name: Path relative to the workspace.
        text: TOML.
        report: Where a syntax error goes.
        first_line: Line number of the beginning of ``text`` within its file.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        found = _TOML_PLACE.search(message)
        last = text.rstrip("\n").count("\n") + 1
        line = int(found["line"]) if found and found["line"] else last
        reason = _TOML_PLACE.sub("", message)
        report.add_file("E0103", f"{name}:{line + first_line - 1}", f"not TOML: {reason}")
        return None
    normal = text.replace("\r\n", "\n")
    return Document(name, values, key_lines(normal, first_line=first_line))
