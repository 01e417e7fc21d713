"""Read ``routes/<name>.toml``, each rung through its plugin, and check the names it uses."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from steadyhand.core.errors import ConfigurationError
from steadyhand.routing.settings import RouteSettings, RungSettings
from steadyhand.settings.document import Document, Report, parse, read_text
from steadyhand.settings.lines import KeyPath
from steadyhand.settings.literals import find_secrets
from steadyhand.settings.problems import nearest
from steadyhand.settings.validation import check_table, load_plugin

RUNGS = "steadyhand.routing.rungs"


@dataclass(frozen=True, slots=True)
class Known:
    """Names that a route may use; those of broken files count, to report each mistake once.

    ``model_checks`` has, for providers that know their models, what refuses the others.
    """

    providers: Collection[str]
    prompts: Collection[str]
    collections: Collection[str]
    slo_classes: Collection[str]
    model_checks: Mapping[str, Callable[[str], None] | None]


def read_route(root: Path, name: str, known: Known, report: Report) -> RouteSettings | None:
    """Return the route in the file ``name``, or ``None`` and its problems."""
    text = read_text(root, name, report)
    document = None if text is None else parse(name, text, report)
    if document is None:
        return None
    find_secrets(document, report)
    if "floor" not in document.values:
        report.add(
            "E0304",
            document,
            ("floor",),
            "the route has no floor",
            hint='without curated content add: [floor] kind = "error"',
        )
    route = check_table(RouteSettings, document.values, document, (), report)
    if route is None:
        return None
    _check_names(route, document, known, report)
    rungs = [
        _read_rung(rung, document, ("rungs", index), known, report)
        for index, rung in enumerate(route.rungs)
    ]
    floor = _read_rung(route.floor, document, ("floor",), known, report)
    return route.model_copy(update={"rungs": tuple(rungs), "floor": floor})


def _check_names(route: RouteSettings, document: Document, known: Known, report: Report) -> None:
    if route.slo not in known.slo_classes:
        report.add(
            "E0303",
            document,
            ("slo",),
            f"there is no SLO class {route.slo!r}",
            nearest=nearest(route.slo, known.slo_classes),
            hint=f"classes are {', '.join(sorted(known.slo_classes))}",
        )
    _check_prompt(route.prompt, document, ("prompt",), known, report)


def _check_prompt(
    prompt: object, document: Document, path: KeyPath, known: Known, report: Report
) -> None:
    if isinstance(prompt, str) and prompt not in known.prompts:
        report.add(
            "E0302",
            document,
            path,
            f"there is no prompt {prompt!r}",
            nearest=nearest(prompt, known.prompts),
            hint=f"add prompts/{prompt}.md",
        )


def _read_rung(
    rung: RungSettings, document: Document, path: KeyPath, known: Known, report: Report
) -> RungSettings:
    """Return ``rung`` with its plugin's defaults filled in; as it is if it has problems."""
    plugin = load_plugin(RUNGS, rung.kind, document, (*path, "kind"), report)
    if plugin is None:
        return rung
    if path == ("floor",) and not plugin.IS_FLOOR:
        report.add(
            "E0305",
            document,
            (*path, "kind"),
            f"a {rung.kind!r} rung can fail and so cannot be the floor",
            hint="floors are template, schema and error",
        )
    if path != ("floor",) and plugin.IS_FLOOR:
        report.add(
            "E0306",
            document,
            (*path, "kind"),
            f"{rung.kind!r} always answers, so no rung after it would be tried",
            hint="move it to [floor]",
        )
    for table, place in _tables_that_name_models(rung.own_keys, plugin.Settings, path):
        _check_provider(table, document, place, known, report)
    if "prompt" in plugin.Settings.model_fields:
        _check_prompt(rung.own_keys.get("prompt"), document, (*path, "prompt"), known, report)
    if "collection" in plugin.Settings.model_fields:
        _check_collection(rung.own_keys.get("collection"), document, path, known, report)
    own: BaseModel | None = check_table(plugin.Settings, rung.own_keys, document, path, report)
    if own is None:
        return rung
    return RungSettings.model_validate({"kind": rung.kind, **own.model_dump(mode="json")})


def _tables_that_name_models(
    own: Mapping[str, object], model: type[BaseModel], path: KeyPath
) -> Iterator[tuple[Mapping[str, object], KeyPath]]:
    """Yield each table of a rung that may name a provider and a model, with its place.

    ``provider`` and ``model``, and a list of tables ``deployments`` with these keys, mean the same
    in every kind of rung that has them.
    """
    if "provider" in model.model_fields:
        yield own, path
    several = own.get("deployments") if "deployments" in model.model_fields else None
    for index, table in enumerate(several if isinstance(several, list) else ()):
        if isinstance(table, dict):
            yield table, (*path, "deployments", index)


def _check_provider(
    table: Mapping[str, object], document: Document, path: KeyPath, known: Known, report: Report
) -> None:
    """Check that ``table`` names a provider that is there, and a model that it can answer with.

    A model that can never answer is a fallback that would never be reached.
    """
    provider, named = table.get("provider"), table.get("model")
    if not isinstance(provider, str):
        return
    if provider not in known.providers:
        report.add(
            "E0301",
            document,
            (*path, "provider"),
            f"there is no provider {provider!r}",
            nearest=nearest(provider, known.providers),
            hint=f"add [providers.{provider}] to steadyhand.toml",
        )
        return
    check = known.model_checks.get(provider)
    if check is None or not isinstance(named, str):
        return
    try:
        check(named)
    except ConfigurationError as error:
        report.add("E0313", document, (*path, "model"), error.message, hint=error.hint)


def _check_collection(
    named: object, document: Document, path: KeyPath, known: Known, report: Report
) -> None:
    if isinstance(named, str) and named not in known.collections:
        report.add(
            "E0401",
            document,
            (*path, "collection"),
            f"there is no collection {named!r}",
            nearest=nearest(named, known.collections),
            hint=f"add an answer: answers/{named}/NAME.md",
        )
