"""Create, list and revoke keys of a workspace by editing its ``keys.toml``.

Only what the command touches is checked, so that a key can be revoked in a workspace that has
other mistakes. Two commands at the same moment: the later one wins, and the file is never torn.
"""

from collections.abc import Mapping
from pathlib import Path

from steadyhand.settings import sections
from steadyhand.settings.document import Document, Report, parse, read_text
from steadyhand.settings.keyring import FILE, check_targets, read_keys
from steadyhand.settings.load import route_names
from steadyhand.settings.problems import InvalidWorkspace
from steadyhand.settings.validation import check_name, check_table
from steadyhand.storage.files import replace_file
from steadyhand.tenancy.keyfile import add_key, remove_key
from steadyhand.tenancy.keys import make_key
from steadyhand.tenancy.settings import HASH_SCHEME, KeySettings


def create_key(workspace: Path, name: str, rights: Mapping[str, object]) -> str:
    """Add a new key to ``keys.toml`` and return its token, which is kept nowhere.

    Args:
        workspace: The directory with ``steadyhand.toml``.
        name: Of the key.
        rights: Keys of :class:`KeySettings` other than ``hash``.

    Raises:
        InvalidWorkspace: A name is not allowed, or a route or provider does not exist.
        KeyExists: There is a key of that name.
    """
    report = Report()
    providers = _providers(workspace, report)
    token, digest = make_key()
    values = {"hash": HASH_SCHEME + digest, **rights}
    document = Document("command line", {"keys": {name: values}}, {})
    check_name(name, "key", document, ("keys", name), report)
    key = check_table(KeySettings, values, document, ("keys", name), report)
    if key is not None:
        check_targets(key, document, ("keys", name), route_names(workspace), providers, report)
    text = _text(workspace, report)
    if report.problems or key is None:
        raise InvalidWorkspace(report.problems)
    replace_file(workspace / FILE, add_key(text, name, key).encode())
    return token


def open_keys(workspace: Path) -> dict[str, KeySettings]:
    """Return name → key.

    Raises:
        InvalidWorkspace: ``keys.toml`` has mistakes.
    """
    report = Report()
    keys = read_keys(workspace, route_names(workspace), _providers(workspace, report), report)
    if report.problems:
        raise InvalidWorkspace(report.problems)
    return keys


def revoke_key(workspace: Path, name: str) -> None:
    """Take a key out of ``keys.toml``.

    Raises:
        InvalidWorkspace: This is no workspace.
        KeyMissing: There is no key of that name.
    """
    report = Report()
    _providers(workspace, report)
    text = _text(workspace, report)
    if report.problems:
        raise InvalidWorkspace(report.problems)
    replace_file(workspace / FILE, remove_key(text, name).encode())


def _providers(workspace: Path, report: Report) -> list[str]:
    text = sections.read_main_text(workspace, report)
    document = None if text is None else parse(sections.FILE, text, report)
    return [] if document is None else sorted(document.values.get("providers", {}))


def _text(workspace: Path, report: Report) -> str:
    if not (workspace / FILE).exists():
        return ""
    return read_text(workspace, FILE, report) or ""
