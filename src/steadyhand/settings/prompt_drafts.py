"""From a workspace to what ``prompt lint`` looks at."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from steadyhand.core.errors import NotFound
from steadyhand.prompts.draft import Asked, Draft, Finding, Sample
from steadyhand.prompts.lint import lint
from steadyhand.routing.model import DeploymentTable
from steadyhand.routing.settings import RouteSettings, RungSettings
from steadyhand.settings.lines import KeyPath, line_of
from steadyhand.settings.load import load
from steadyhand.settings.model import Settings
from steadyhand.settings.problems import InvalidWorkspace, Problem, nearest
from steadyhand.settings.prompts import FOLDER, PromptFile, prompt_names
from steadyhand.settings.release import read
from steadyhand.snapshot.model import ProviderEntry


def lint_workspace(root: Path, names: Sequence[str]) -> tuple[list[str], list[Finding]]:
    """Return the prompts that were checked, and what was found; problems of the workspace too.

    Args:
        root: The workspace; overrides come from this process's environment.
        names: Of prompts; empty for all.

    Raises:
        NotFound: There is no prompt of that name.
    """
    try:
        found = drafts_in(load(root, os.environ, {}))
    except InvalidWorkspace as error:
        mistakes = [_finding(problem) for problem in error.problems]
        return sorted({*prompt_names(root), *(one.prompt for one in mistakes)}), mistakes
    for name in names:
        if name not in found:
            near = nearest(name, found)
            known = f"prompts are {', '.join(found) or 'none yet'}"
            hint = f"did you mean {near!r}?" if near else known
            raise NotFound(f"no prompt {name!r}", hint=hint)
    wanted = list(names) or sorted(found)
    return wanted, [one for name in wanted for one in lint(found[name])]


def _finding(problem: Problem) -> Finding:
    path, _, line = problem.path.rpartition(":")
    if not line.isdigit():
        path, line = problem.path, "1"
    name = path.removeprefix(f"{FOLDER}/").removesuffix(".md").partition("@")[0]
    return Finding(problem.code, "error", name, path, int(line), problem.reason, problem.advice)


def lint_release(
    files: Mapping[str, bytes], name: str, providers: Mapping[str, ProviderEntry]
) -> list[Finding]:
    """Return what is found in the prompts of a release, and what keeps it from being served here.

    Args:
        files: Of the release, path → content.
        name: Of its route.
        providers: Of this installation.
    """
    try:
        part = read(files, name, providers)
    except InvalidWorkspace as error:
        return [_finding(problem) for problem in error.problems]
    found = drafts({name: part.route}, part.sources, providers)
    return [one for prompt in sorted(found) for one in lint(found[prompt])]


def drafts_in(settings: Settings) -> dict[str, Draft]:
    """Return name → draft of every prompt of a workspace."""
    return drafts(settings.routes, settings.prompts, settings.providers)


def drafts(
    routes: Mapping[str, RouteSettings],
    prompts: Mapping[str, PromptFile],
    providers: Mapping[str, ProviderEntry],
) -> dict[str, Draft]:
    """Return name → draft of each of ``prompts``, with the models that ``routes`` ask with it."""
    asked: dict[str, list[Asked]] = {}
    for name, route in sorted(routes.items()):
        for prompt, one in _asked(name, route, providers):
            found = asked.setdefault(prompt, [])
            if one not in found:
                found.append(one)
    return {
        name: _draft(name, found, tuple(asked.get(name, ()))) for name, found in prompts.items()
    }


def _asked(
    name: str, route: RouteSettings, providers: Mapping[str, ProviderEntry]
) -> Iterator[tuple[str, Asked]]:
    """Yield (prompt, model) for each model that gets a prompt on a route."""
    for rung in route.rungs:
        prompt = rung.own_keys.get("prompt") or route.prompt
        if isinstance(prompt, str):
            for table in _deployments(rung):
                provider = table.provider or ""
                entry = providers.get(provider)
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
