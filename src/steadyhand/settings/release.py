"""From a workspace to the files of a release, and from these back to a route.

A release is a small workspace: its files have the same paths and are read by the same readers, so
nothing that a workspace may say is lost or read in another way. Providers, keys and secrets are not
part of it: they belong to an installation.
"""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from pydantic import ValidationError

from steadyhand.core.errors import NotFound
from steadyhand.core.plugins import load as load_plugin
from steadyhand.knowledge.model import SUBJECTS, Entry
from steadyhand.prompts.model import Prompt
from steadyhand.routing.settings import RouteSettings, SloSettings
from steadyhand.settings.answers import read_collections
from steadyhand.settings.corpora import KNOWLEDGE, SECTIONS
from steadyhand.settings.document import Report
from steadyhand.settings.model import Settings
from steadyhand.settings.problems import InvalidWorkspace
from steadyhand.settings.prompts import PromptFile, read_prompts
from steadyhand.settings.route_prompts import check_prompts_of, prompts_of
from steadyhand.settings.routes import Known, read_route
from steadyhand.snapshot.model import ProviderEntry

SLO: Final = "slo.json"
"""Values of the SLO class: a workspace has them in ``steadyhand.toml``, which a release has not."""

_PROVIDERS: Final = "steadyhand.providers"


class RouteMissing(NotFound):
    """The workspace has no route of that name."""

    code = "route_missing"


class Part(NamedTuple):
    """What a release says, ready to be compiled.

    Attributes:
        route: Its settings.
        prompts: Name → prompt.
        collections: Name → curated answers.
        slo: Its SLO class.
        sources: Name → prompt with its files.
    """

    route: RouteSettings
    prompts: dict[str, Prompt]
    collections: Mapping[str, Sequence[Entry]]
    slo: SloSettings
    sources: dict[str, PromptFile]


def collect(settings: Settings, name: str) -> dict[str, bytes]:
    """Return path → content of all files of a workspace that shape the answers of one route.

    Raises:
        RouteMissing: There is no such route.
        OSError: A file went away meanwhile.
    """
    route = settings.routes.get(name)
    if route is None:
        raise RouteMissing(
            f"the workspace has no route {name[:63]!r}",
            hint=f"routes are {', '.join(sorted(settings.routes)) or 'none yet'}",
        )
    root = settings.workspace
    files = {f"routes/{name}.toml": (root / "routes" / f"{name}.toml").read_bytes()}
    prompts = sorted({prompt for _, prompt in prompts_of(route)})
    for prompt in prompts:
        for path in settings.prompts[prompt].files:
            files[path] = (root / path).read_bytes()
    files |= _sections(root, settings, prompts)
    for collection in _collections(route):
        for answer in sorted((root / "answers" / collection).rglob("*.md")):
            files[answer.relative_to(root).as_posix()] = answer.read_bytes()
        subjects = root / "answers" / collection / SUBJECTS
        if subjects.is_file():
            files[subjects.relative_to(root).as_posix()] = subjects.read_bytes()
    slo = settings.slo_classes[route.slo].model_dump(mode="json")
    files[SLO] = msgspec.json.encode({route.slo: slo}, order="sorted")
    return files


def read(files: Mapping[str, bytes], name: str, providers: Mapping[str, ProviderEntry]) -> Part:
    """Return what a release says, checked for this installation.

    Args:
        files: As :func:`collect` gave them.
        name: Of the route.
        providers: Of this installation; the route must not name others.

    Raises:
        InvalidWorkspace: It cannot be served here; its problems say why.
    """
    with tempfile.TemporaryDirectory(prefix="steadyhand-release-") as folder:
        root = Path(folder)
        for path, content in files.items():
            place = root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        return _read(root, files, name, providers)


def _read(
    root: Path, files: Mapping[str, bytes], name: str, providers: Mapping[str, ProviderEntry]
) -> Part:
    report = Report()
    classes = _classes(files.get(SLO, b""), report)
    prompts = read_prompts(root, report)
    collections = read_collections(root, report)
    known = Known(
        providers=providers.keys(),
        prompts=prompts.keys(),
        collections=collections.keys(),
        slo_classes=classes.keys(),
        model_checks={key: _model_check(entry) for key, entry in providers.items()},
    )
    route = read_route(root, f"routes/{name}.toml", known, report)
    if route is not None:
        check_prompts_of({name: route}, prompts, report)
    if report.problems or route is None:
        raise InvalidWorkspace(report.problems)
    usable = {key: found.prompt for key, found in prompts.items()}
    return Part(route, usable, collections, classes[route.slo], prompts)


def _classes(content: bytes, report: Report) -> dict[str, SloSettings]:
    try:
        tables = json.loads(content)
        return {key: SloSettings.model_validate(table) for key, table in tables.items()}
    except (ValueError, ValidationError, AttributeError) as error:
        report.add_file("E0105", f"{SLO}:1", f"no SLO class: {str(error)[:200]}")
        return {}


def _model_check(entry: ProviderEntry) -> Callable[[str], None] | None:
    plugin = load_plugin(_PROVIDERS, entry.kind)
    check = getattr(plugin, "check_model", None)
    if check is None:
        return None
    return partial(check, plugin.Settings.model_validate_json(bytes(entry.settings)))


def _collections(route: RouteSettings) -> list[str]:
    """Return the collections that the route's rungs and its floor name."""
    found = {rung.own_keys.get("collection") for rung in (*route.rungs, route.floor)}
    return sorted(name for name in found if isinstance(name, str))


def _sections(root: Path, settings: Settings, prompts: Sequence[str]) -> dict[str, bytes]:
    """Return the sections that ``prompts`` pin, in files as a workspace has them."""
    wanted: dict[str, set[str]] = {}
    for name in prompts:
        prompt = settings.prompts[name]
        if prompt.corpus:
            wanted[prompt.corpus] = wanted.get(prompt.corpus, set()) | set(prompt.passages)
    files = {}
    for corpus, ids in sorted(wanted.items()):
        path = f"{KNOWLEDGE}/{corpus}/{SECTIONS}"
        lines = [line for line in _lines(root / path) if json.loads(line)["_id"] in ids]
        files[path] = b"".join(line + b"\n" for line in lines)
    return files


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from (line.rstrip(b"\r\n") for line in file if line.strip())
