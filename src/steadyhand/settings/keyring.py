"""Read ``keys.toml`` and check the routes and providers that its keys name."""

from collections.abc import Collection
from pathlib import Path

from steadyhand.settings.document import Document, Report, parse, read_text
from steadyhand.settings.lines import KeyPath
from steadyhand.settings.literals import find_secrets
from steadyhand.settings.problems import nearest
from steadyhand.settings.sections import read_tables
from steadyhand.settings.validation import check_table
from steadyhand.tenancy.settings import KeySettings

FILE = "keys.toml"
ALL = "*"


def read_keys(
    root: Path, routes: Collection[str], providers: Collection[str], report: Report
) -> dict[str, KeySettings]:
    """Return name → key; empty if there is no ``keys.toml``, as then nobody may call.

    Args:
        root: The workspace.
        routes: Names of the routes.
        providers: Names of the providers.
        report: Where mistakes go.
    """
    if not (root / FILE).exists():
        return {}
    text = read_text(root, FILE, report)
    document = None if text is None else parse(FILE, text, report)
    if document is None:
        return {}
    find_secrets(document, report)
    keys: dict[str, KeySettings] = {}
    names: dict[str, str] = {}  # hash → the name that had it first
    for name, table in read_tables(document, "keys", "key", report):
        path: KeyPath = ("keys", name)
        key = check_table(KeySettings, table, document, path, report)
        if key is None:
            continue
        if key.hash in names:
            report.add(
                "E0310",
                document,
                (*path, "hash"),
                f"keys {names[key.hash]!r} and {name!r} are one key",
                hint="remove one of them",
            )
        names.setdefault(key.hash, name)
        check_targets(key, document, path, routes, providers, report)
        keys[name] = key
    return keys


def check_targets(
    key: KeySettings,
    document: Document,
    path: KeyPath,
    routes: Collection[str],
    providers: Collection[str],
    report: Report,
) -> None:
    """Note each route and provider that ``key``, which stands at ``path``, names in vain."""
    for index, route in enumerate(key.routes):
        if route != ALL and route not in routes:
            report.add(
                "E0307",
                document,
                (*path, "routes", index),
                f"there is no route {route!r}",
                nearest=nearest(route, routes),
                hint=f"add routes/{route}.toml",
            )
    for index, pattern in enumerate(key.models):
        provider = pattern.partition("/")[0]
        if ALL not in provider and provider not in providers:
            report.add(
                "E0301",
                document,
                (*path, "models", index),
                f"there is no provider {provider!r}",
                nearest=nearest(provider, providers),
                hint=f"add [providers.{provider}] to steadyhand.toml",
            )
