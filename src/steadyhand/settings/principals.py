"""Read and edit ``principals.toml``: who may change and see what on the control plane."""

import json
import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from steadyhand.core.errors import ConfigurationError
from steadyhand.settings import sections
from steadyhand.settings.document import Document, Report, parse, read_text
from steadyhand.settings.literals import find_secrets
from steadyhand.settings.problems import InvalidWorkspace
from steadyhand.settings.validation import check_name, check_table
from steadyhand.storage.files import replace_file
from steadyhand.tenancy.principals import BOOTSTRAP, PREFIX, token_hash
from steadyhand.tenancy.settings import HASH_SCHEME, PrincipalSettings

FILE: Final = "principals.toml"
SECTION: Final = "principals"


class PrincipalExists(ConfigurationError):
    """``principals.toml`` has a principal of this name already."""

    code, status = "principal_exists", 409


class PrincipalMissing(ConfigurationError):
    """``principals.toml`` has no principal of this name."""

    code, status = "principal_missing", 404


def read_principals(root: Path, report: Report) -> dict[str, PrincipalSettings]:
    """Return name → principal; empty if there is no such file."""
    if not (root / FILE).exists():
        return {}
    text = read_text(root, FILE, report)
    document = None if text is None else parse(FILE, text, report)
    if document is None:
        return {}
    find_secrets(document, report)
    found = {}
    hashes: dict[str, str] = {}
    for name, table in sections.read_tables(document, SECTION, "principal", report):
        one = check_table(PrincipalSettings, table, document, (SECTION, name), report)
        if one is None:
            continue
        twin = hashes.setdefault(one.hash, name)
        if twin != name or name == BOOTSTRAP.name:
            reason = (
                f"principals {twin!r} and {name!r} have one token"
                if twin != name
                else f"{name!r} is the holder of the installation's own token"
            )
            hint = "each person has a name and a token of their own"
            report.add("E0310", document, (SECTION, name), reason, hint=hint)
        found[name] = one
    return found


def load_principals(root: Path) -> dict[str, PrincipalSettings]:
    """Return the principals of a workspace alone, whatever else is wrong with it.

    Raises:
        InvalidWorkspace: The file has mistakes.
    """
    report = Report()
    found = read_principals(root, report)
    if report.problems:
        raise InvalidWorkspace(report.problems)
    return found


def create_principal(
    root: Path, name: str, roles: Sequence[str], ssh_keys: Sequence[str] = ()
) -> str:
    """Add a principal and return the token, which is kept nowhere.

    Raises:
        InvalidWorkspace: The name or a role is not allowed, or this is no workspace.
        PrincipalExists: There is one of that name.
    """
    report = Report()
    sections.read_main_text(root, report)
    known = read_principals(root, report)
    token = PREFIX + secrets.token_urlsafe(32)
    table: dict[str, object] = {"hash": HASH_SCHEME + token_hash(token), "roles": list(roles)}
    if ssh_keys:
        table["ssh_keys"] = list(ssh_keys)
    document = Document("command line", {SECTION: {name: table}}, {})
    check_name(name, "principal", document, (SECTION, name), report)
    check_table(PrincipalSettings, table, document, (SECTION, name), report)
    if report.problems:
        raise InvalidWorkspace(report.problems)
    if name in known or name == BOOTSTRAP.name:
        raise PrincipalExists(
            f"principal {name!r} exists already",
            hint=f"choose another name, or: steadyhand principal revoke {name}",
        )
    before = _text(root).rstrip("\n")
    lines = [f"[{SECTION}.{json.dumps(name) if '.' in name else name}]"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    text = (f"{before}\n\n" if before else "") + "\n".join(lines) + "\n"
    replace_file(root / FILE, text.encode())
    return token


def revoke_principal(root: Path, name: str) -> None:
    """Take a principal out of the file: up to the next table.

    Raises:
        PrincipalMissing: There is none of that name.
    """
    text = _text(root)
    quoted = re.escape(name)
    header = rf"""(?m)^[ \t]*\[[ \t]*{SECTION}\.(?:{quoted}|"{quoted}"|'{quoted}')[ \t]*\].*$"""
    found = re.search(header, text)
    if found is None:
        raise PrincipalMissing(
            f"no principal {name!r} in {FILE}", hint="list them: steadyhand principal list"
        )
    rest = text[found.end() :]
    after = re.search(r"(?m)^[ \t]*\[", rest)
    left = text[: found.start()] + (rest[after.start() :] if after else "")
    replace_file(root / FILE, left.encode())


def _text(root: Path) -> str:
    return (root / FILE).read_text(encoding="utf-8") if (root / FILE).exists() else ""
