"""References to secrets: the name of a place, never the value."""

import re
from collections.abc import Callable, Mapping

from steadyhand.core.errors import SecretUnavailable

PATTERN = re.compile(r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$")


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
