"""Find secrets that were written where a reference belongs. Pure.

Two signs: a key that is named for a secret holds a string that is not a reference, or a string
anywhere has the form of a well-known credential. Values found are never shown.
"""

import re
from collections.abc import Iterator

from steadyhand.core.secrets import PATTERN, looks_secret
from steadyhand.settings.document import Document, Report, dotted
from steadyhand.settings.lines import KeyPath

_SECRET_KEY = re.compile(
    r"(?:^|[_.-])(?:api[_-]?key|access[_-]?key|private[_-]?key|token|secret|password|passwd"
    r"|credentials?|authorization)$",
    re.IGNORECASE,
)


def find_secrets(document: Document, report: Report) -> None:
    """Note every string of ``document`` that looks like a secret."""
    for path, value in _strings((), document.values):
        key = next((part for part in reversed(path) if isinstance(part, str)), "")
        named = bool(_SECRET_KEY.search(key)) and value != "" and not PATTERN.match(value)
        if named or looks_secret(value):
            report.add(
                "E0107",
                document,
                path,
                f"{dotted(path)} looks like a literal secret",
                hint=f"keep the secret outside the workspace: {key} = "
                f'"env:{re.sub("[^A-Za-z0-9]+", "_", key).upper()}"',
                hide=True,
            )


def _strings(path: KeyPath, value: object) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _strings((*path, key), inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _strings((*path, index), inner)
