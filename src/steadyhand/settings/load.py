"""Read a workspace: the one place that knows which files it has.

``steadyhand.toml`` < environment < flags; routes, prompts and keys come from their files only.
Every mistake in every file is found in one pass and reported together.
"""

from collections.abc import Mapping
from pathlib import Path

from steadyhand.alerting.settings import AlertSettings
from steadyhand.caching.settings import Settings as CacheSettings
from steadyhand.routing.settings import DrillSettings, LadderSettings, RouteSettings
from steadyhand.settings import sections
from steadyhand.settings.answers import read_collections
from steadyhand.settings.document import Document, Report, parse
from steadyhand.settings.grounding import read_grounding
from steadyhand.settings.keyring import read_keys
from steadyhand.settings.literals import find_secrets
from steadyhand.settings.model import Settings
from steadyhand.settings.objectives import read_objectives, read_prices
from steadyhand.settings.overrides import overlay
from steadyhand.settings.principals import read_principals
from steadyhand.settings.problems import InvalidWorkspace
from steadyhand.settings.prompts import prompt_names, read_prompts
from steadyhand.settings.route_prompts import check_prompts_of
from steadyhand.settings.routes import Known, read_route
from steadyhand.settings.tables import (
    ControlSettings,
    FollowSettings,
    RecordsSettings,
    RegistrySettings,
    RolloutSettings,
    ServerSettings,
)
from steadyhand.settings.validation import Model, check_name
from steadyhand.telemetry.settings import TraceSettings


def load(workspace: Path, environment: Mapping[str, str], flags: Mapping[str, object]) -> Settings:
    """Return the settings of ``workspace``, checked, with overrides laid over the file.

    Args:
        workspace: The directory with ``steadyhand.toml``.
        environment: All environment variables; see :mod:`steadyhand.settings.overrides`.
        flags: Key with dots → value (``{"server.port": 9000}``); ``None`` values are not set.

    Raises:
        InvalidWorkspace: Its ``problems`` name every mistake with its place.
    """
    report = Report()
    document = _read_main(workspace, environment, flags, report)
    if document is None:
        raise InvalidWorkspace(report.problems)
    find_secrets(document, report)
    sections.check_section_names(document, report)
    server = sections.read_section(ServerSettings, "server", document, report)
    records = sections.read_section(RecordsSettings, "records", document, report)
    control = sections.read_section(ControlSettings, "control", document, report)
    cache = sections.read_section(CacheSettings, "cache", document, report)
    drills = sections.read_section(DrillSettings, "drills", document, report)
    ladder = sections.read_section(LadderSettings, "ladder", document, report)
    registry = sections.read_section(RegistrySettings, "registry", document, report)
    rollouts = sections.read_section(RolloutSettings, "rollouts", document, report)
    follow = sections.read_section(FollowSettings, "follow", document, report)
    alerts = sections.read_section(AlertSettings, "alerts", document, report)
    traces = sections.read_section(TraceSettings, "traces", document, report)
    objectives = read_objectives(document, route_names(workspace), report)
    prices = read_prices(document, _names(document, "providers"), report)
    slo_classes = sections.read_slo_classes(document, report)
    providers = sections.read_providers(workspace, document, report)
    prompts = read_prompts(workspace, report)
    collections = read_collections(workspace, report)
    grounding = read_grounding(document, route_names(workspace), collections, report)
    known = Known(
        providers=_names(document, "providers"),
        prompts=prompt_names(workspace),
        collections=collections.keys(),
        slo_classes=slo_classes.keys() | _names(document, "slo"),
        model_checks={name: found.check_model for name, found in providers.items()},
    )
    routes = _read_routes(workspace, known, report)
    check_prompts_of(routes, prompts, report)
    read_principals(workspace, report)
    keys = read_keys(workspace, route_names(workspace), known.providers, report)
    if report.problems:
        raise InvalidWorkspace(report.problems)
    entries = {name: found.entry for name, found in providers.items()}
    return Settings(
        workspace=workspace,
        server=_given(server),
        records=_given(records),
        control=_given(control),
        slo_classes=slo_classes,
        providers=entries,
        keys=keys,
        routes=routes,
        prompts=prompts,
        cache=_given(cache),
        collections=collections,
        drills=_given(drills),
        ladder=_given(ladder),
        registry=_given(registry),
        rollouts=_given(rollouts),
        follow=_given(follow),
        objectives=_given(objectives),
        prices=prices,
        alerts=_given(alerts),
        traces=_given(traces),
        grounding=_given(grounding),
    )


def _given(section: Model | None) -> Model:
    """Return a section, which is there, as nothing was found wrong with any."""
    if section is None:
        raise RuntimeError("a section with mistakes was not reported")
    return section


def route_names(workspace: Path) -> list[str]:
    """Return the names of the files in ``routes/``, broken ones included."""
    return _stems(workspace, "routes", ".toml")


def _read_main(
    workspace: Path, environment: Mapping[str, str], flags: Mapping[str, object], report: Report
) -> Document | None:
    text = sections.read_main_text(workspace, report)
    document = None if text is None else parse(sections.FILE, text, report)
    if document is None:
        return None
    return overlay(document, sections.NAMES, environment, flags, report)


def _read_routes(workspace: Path, known: Known, report: Report) -> dict[str, RouteSettings]:
    routes = {}
    for name in route_names(workspace):
        file = f"routes/{name}.toml"
        check_name(name, "route", Document(file, {}, {}), (), report)
        route = read_route(workspace, file, known, report)
        if route is not None:
            routes[name] = route
    return routes


def _names(document: Document, section: str) -> set[str]:
    table = document.values.get(section, {})
    return set(table) if isinstance(table, dict) else set()


def _stems(workspace: Path, folder: str, suffix: str) -> list[str]:
    return sorted(path.stem for path in (workspace / folder).glob(f"*{suffix}"))
