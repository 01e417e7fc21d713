"""From a workspace to what ``prompt lint`` looks at."""

from collections.abc import Callable, Iterator

import msgspec

from steadyhand.prompts.draft import Asked, Draft, Sample
from steadyhand.routing.model import DeploymentTable
from steadyhand.routing.settings import RouteSettings, RungSettings
from steadyhand.settings.lines import KeyPath, line_of
from steadyhand.settings.model import Settings
from steadyhand.settings.prompts import FOLDER, PromptFile


def drafts(settings: Settings) -> dict[str, Draft]:
    """Return name → draft of every prompt of a workspace."""
    asked: dict[str, list[Asked]] = {}
    for name, route in sorted(settings.routes.items()):
        for prompt, one in _asked(name, route, settings):
            found = asked.setdefault(prompt, [])
            if one not in found:
                found.append(one)
    return {
        name: _draft(name, found, tuple(asked.get(name, ())))
        for name, found in settings.prompts.items()
    }


def _asked(name: str, route: RouteSettings, settings: Settings) -> Iterator[tuple[str, Asked]]:
    """Yield (prompt, model) for each model that gets a prompt on a route."""
    for rung in route.rungs:
        prompt = rung.own_keys.get("prompt") or route.prompt
        if isinstance(prompt, str):
            for table in _deployments(rung):
                provider = table.provider or ""
                entry = settings.providers.get(provider)
                if table.model and entry is not None:
                    yield prompt, Asked(name, entry.kind, table.model)


def _deployments(rung: RungSettings) -> tuple[DeploymentTable, ...]:
    table = msgspec.convert(rung.own_keys, DeploymentTable)
    return table.deployments or (table,)


def _draft(name: str, found: PromptFile, asked: tuple[Asked, ...]) -> Draft:
    settings, prompt = found.settings, found.prompt
    schema = None
    if prompt.output:
        schema = msgspec.json.decode(prompt.output)["json_schema"]["schema"]
    samples = tuple(
        Sample(one.name, one.variables, one.locale, one.contains, one.lacks)
        for one in settings.samples
    )
    return Draft(
        prompt,
        f"{FOLDER}/{name}.md",
        found.body,
        settings.owner,
        settings.model or "",
        schema,
        settings.budget_tokens or 0,
        samples,
        settings.allow,
        found.used,
        found.locale_uses,
        asked,
        _line_of(found),
    )


def _line_of(found: PromptFile) -> Callable[[str], int]:
    def line(place: str) -> int:
        if place.startswith("@"):
            return found.first_line + found.body.count("\n", 0, int(place[1:]))
        path: KeyPath = tuple(int(part) if part.isdigit() else part for part in place.split("."))
        return line_of(found.document.lines, path) or 1

    return line
