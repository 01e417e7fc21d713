"""References to secrets, which name a place and never the value; and what a value looks like."""

import re
from collections.abc import Callable, Mapping

from steadyhand.core.errors import SecretUnavailable

PATTERN = re.compile(r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$")
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


def resolve(reference: str, environment: Mapping[str, str], read_text: Callable[[str], str]) -> str:
    """Return the secret that ``reference`` (``env:NAME`` or ``file:PATH``) names.

    ``read_text`` opens a file for the caller, who decides what paths are relative to.

    Raises:
        SecretUnavailable: The variable or file is absent or empty, or the form is neither.
    """
    scheme, _, place = reference.partition(":")
    if scheme == "env":
        value = environment.get(place, "").strip()
        if not value:
            raise SecretUnavailable(
                f"environment variable {place} is not set", hint=f"export {place}=..."
            )
        return value
    if scheme == "file":
        try:
            value = read_text(place).strip()
        except OSError as error:
            raise SecretUnavailable(
                f"secret file {place} cannot be read: {error.strerror}",
                hint="create it, readable by this user only (mode 600)",
            ) from error
        if not value:
            raise SecretUnavailable(f"secret file {place} is empty", hint="write the secret to it")
        return value
    raise SecretUnavailable(
        f"secret reference {reference!r} has no known scheme", hint="use env:NAME or file:PATH"
    )


def looks_secret(text: str) -> bool:
    """Tell whether ``text`` has something of the form of a well-known credential in it."""
    return _SECRET_VALUE.search(text) is not None
