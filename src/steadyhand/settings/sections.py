"""Read the sections of ``steadyhand.toml``."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from pydantic import BaseModel

from steadyhand.alerting.settings import AlertSettings
from steadyhand.caching.settings import Settings as CacheSettings
from steadyhand.core.errors import ConfigurationError
from steadyhand.evals.grounding.settings import GroundingSettings
from steadyhand.objectives.settings import ObjectivesSettings
from steadyhand.providers.base import UnusableFile
from steadyhand.routing.settings import SLO_CLASSES, DrillSettings, LadderSettings, SloSettings
from steadyhand.settings.document import Document, Report, read_text
from steadyhand.settings.lines import KeyPath
from steadyhand.settings.problems import nearest
from steadyhand.settings.tables import (
    ControlSettings,
    FollowSettings,
    RecordsSettings,
    RegistrySettings,
    RolloutSettings,
    ServerSettings,
)
from steadyhand.settings.validation import Model, check_name, check_table, load_plugin
from steadyhand.snapshot.compile import canonical_table
from steadyhand.snapshot.model import ProviderEntry
from steadyhand.telemetry.settings import TraceSettings

FILE = "steadyhand.toml"
PROVIDERS = "steadyhand.providers"

TABLES: dict[str, type[BaseModel]] = {
    "server": ServerSettings,
    "records": RecordsSettings,
    "control": ControlSettings,
    "cache": CacheSettings,
    "drills": DrillSettings,
    "ladder": LadderSettings,
    "registry": RegistrySettings,
    "rollouts": RolloutSettings,
    "follow": FollowSettings,
    "objectives": ObjectivesSettings,
    "alerts": AlertSettings,
    "traces": TraceSettings,
    "grounding": GroundingSettings,
}
NAMES = (*TABLES, "slo", "providers", "prices")
"""All top tables of the file."""


def read_main_text(workspace: Path, report: Report) -> str | None:
    """Return the text of ``steadyhand.toml``, or ``None`` and a problem if there is none."""
    if not (workspace / FILE).exists():
        report.add_file(
            "E0101",
            str(workspace),
            f"there is no {FILE} here, so this is not a workspace",
            hint=f"name one with --workspace DIR, or make one: steadyhand init {workspace}",
        )
        return None
    return read_text(workspace, FILE, report)


def check_section_names(document: Document, report: Report) -> None:
    """Note every top key that is not one of :data:`NAMES`."""
    for name in document.values:
        if name not in NAMES:
            report.add(
                "E0104",
                document,
                (name,),
                f"unknown section {name!r}",
                nearest=nearest(name, NAMES),
                hint=f"sections are {', '.join(NAMES)}",
            )


def read_section(model: type[Model], name: str, document: Document, report: Report) -> Model | None:
    """Return one of the fixed sections; its defaults if the file has none."""
    table = document.values.get(name, {})
    if not isinstance(table, dict):
        report.add("E0105", document, (name,), f"{name}: must be a table", hint=f"write [{name}]")
        return None
    return check_table(model, table, document, (name,), report)


def read_slo_classes(document: Document, report: Report) -> dict[str, SloSettings]:
    """Return name → class: the built-in ones as the file changes them, and the file's own."""
    classes = {name: SloSettings.model_validate(table) for name, table in SLO_CLASSES.items()}
    for name, table in read_tables(document, "slo", "SLO class", report):
        whole = {**SLO_CLASSES.get(name, {}), **table}
        found = check_table(SloSettings, whole, document, ("slo", name), report)
        if found is not None:
            classes[name] = found
    return classes


class FoundProvider(NamedTuple):
    """A provider of the workspace.

    Attributes:
        entry: As it stands in the snapshot.
        check_model: Raises ``ConfigurationError`` for a model that this provider can never serve;
            ``None`` if only the host behind it knows.
    """

    entry: ProviderEntry
    check_model: Callable[[str], None] | None


def read_providers(workspace: Path, document: Document, report: Report) -> dict[str, FoundProvider]:
    """Return name → provider; only the plugins that are named are imported."""
    providers = {}
    for name, table in read_tables(document, "providers", "provider", report):
        path: KeyPath = ("providers", name)
        own = dict(table)
        kind = own.pop("kind", None)
        if not isinstance(kind, str):
            hint = 'say which plugin speaks to it, for example kind = "openai"'
            report.add("E0106", document, (*path, "kind"), "key 'kind' is missing", hint=hint)
            continue
        plugin = load_plugin(PROVIDERS, kind, document, (*path, "kind"), report)
        if plugin is None:
            continue
        settings: BaseModel | None = check_table(plugin.Settings, own, document, path, report)
        if settings is not None:
            _check_workspace(plugin, settings, workspace, document, path, report)
            entry = canonical_table(settings.model_dump(mode="json"))
            check = getattr(plugin, "check_model", None)
            providers[name] = FoundProvider(
                ProviderEntry(kind, entry), partial(check, settings) if check else None
            )
    return providers


def _check_workspace(
    plugin: ModuleType,
    settings: BaseModel,
    workspace: Path,
    document: Document,
    path: KeyPath,
    report: Report,
) -> None:
    """Let a plugin look at what it needs of this machine: files of the workspace, libraries."""
    check = getattr(plugin, "check_workspace", None)
    if check is None:
        return
    try:
        check(settings, workspace)
    except UnusableFile as error:
        report.add("E0203", document, (*path, error.key), error.message, hint=error.hint)
    except ConfigurationError as error:
        report.add("E0202", document, (*path, "kind"), error.message, hint=error.hint)


def read_tables(
    document: Document, section: str, what: str, report: Report
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield name and table of each ``[section.<name>]`` whose name and form are in order."""
    tables = document.values.get(section, {})
    if not isinstance(tables, dict):
        report.add("E0105", document, (section,), f"{section}: must hold tables")
        return
    for name, table in tables.items():
        path: KeyPath = (section, name)
        check_name(name, what, document, path, report)
        if isinstance(table, dict):
            yield name, table
        else:
            hint = f"write [{section}.{name}]"
            report.add("E0105", document, path, f"{section}.{name}: must be a table", hint=hint)
