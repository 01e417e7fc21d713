"""Find secrets that were written where a reference belongs. Pure.

Two signs: a key that is named for a secret holds a string that is not a reference, or a string
anywhere has the form of a well-known credential. Values found are never shown.
"""

import re
from collections.abc import Iterator

from steadyhand.core.secrets import PATTERN
from steadyhand.settings.document import Document, Report, dotted
from steadyhand.settings.lines import KeyPath

_SECRET_KEY = re.compile(
    r"(?:^|[_.-])(?:api[_-]?key|access[_-]?key|private[_-]?key|token|secret|password|passwd"
    r"|credentials?|authorization)$",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"""
      \bsk-[A-Za-z0-9_-]{16,}             # OpenAI, Anthropic, and ours
    | \b(?:AKIA|ASIA)[0-9A-Z]{16}\b       # AWS
    | \bgh[pousr]_[A-Za-z0-9]{30,}        # GitHub
    | \bgithub_pat_[A-Za-z0-9_]{30,}
    | \bxox[abprs]-[A-Za-z0-9-]{10,}      # Slack
    | \bAIza[0-9A-Za-z_-]{35}             # Google
    | \beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.    # a JSON web token
    | -----BEGIN[ A-Z]*PRIVATE[ ]KEY-----
    | \bBearer\s+[\w.~+/=-]{16,}
    | ://[^/\s:@]+:[^/\s:@]+@             # a password in an address
    """,
    re.VERBOSE,
)


def find_secrets(document: Document, report: Report) -> None:
    """Note every string of ``document`` that looks like a secret."""
    for path, value in _strings((), document.values):
        key = next((part for part in reversed(path) if isinstance(part, str)), "")
        named = bool(_SECRET_KEY.search(key)) and value != "" and not PATTERN.match(value)
        if named or _SECRET_VALUE.search(value):
            report.add(
                "E0107",
                document,
                path,
                f"{dotted(path)} looks like a literal secret",
                hint=f"keep the secret outside the workspace: {key} = "
                f'"env:{re.sub("[^A-Za-z0-9]+", "_", key).upper()}"',
                hide=True,
            )


def looks_secret(text: str) -> bool:
    """Tell whether ``text`` has something of the form of a well-known credential in it."""
    return _SECRET_VALUE.search(text) is not None


def _strings(path: KeyPath, value: object) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _strings((*path, key), inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _strings((*path, index), inner)
