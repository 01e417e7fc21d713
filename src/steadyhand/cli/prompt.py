"""``steadyhand prompt``: list, check, render and import prompts. All on files, without a server."""

import json as json_format
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from steadyhand.cli.output import RED, YELLOW, Column
from steadyhand.cli.session import Session, noun, verb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadyhand.prompts.draft import Preview
    from steadyhand.settings.model import Settings
    from steadyhand.settings.prompts import PromptFile

app = noun("List, check, render and import prompts.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Of a file in prompts/, without .md.")]

_COLOURS = {"error": RED, "warning": YELLOW}

LISTED = [
    Column("prompt", lambda row: row["prompt"]),
    Column("variables", lambda row: ", ".join(row["variables"]) or "-"),
    Column("languages", lambda row: " ".join(row["languages"]) or "-"),
    Column("tokens", lambda row: str(row["tokens"]), right=True),
    Column("routes", lambda row: " ".join(row["routes"]) or "-"),
    Column("owner", lambda row: row["owner"]),
]
FOUND = [
    Column("level", lambda row: row["level"], colour=lambda cell: _COLOURS.get(cell, "")),
    Column("code", lambda row: row["code"]),
    Column("place", lambda row: f"{row['path']}:{row['line']}"),
    Column("what", lambda row: row["message"]),
    Column("hint", lambda row: row["hint"]),
]
SEGMENTS = [
    Column("role", lambda row: row["role"]),
    Column("trust", lambda row: row["trust"], colour=lambda x: YELLOW if x != "trusted" else ""),
    Column("origin", lambda row: row["origin"]),
    Column("variables", lambda row: " ".join(row["variables"]) or "-"),
    Column("text", lambda row: _short(row["text"])),
]


@verb(app, "list")
def list_prompts(session: Session) -> None:
    """List the prompts of the workspace.

    Examples:
      steadyhand prompt list
      steadyhand prompt list --json=prompt,variables
    """
    from steadyhand.prompts.tokens import estimated
    from steadyhand.settings.previews import previews_of
    from steadyhand.settings.prompt_drafts import drafts_in

    settings = _settings(session)
    rows = []
    for name, draft in drafts_in(settings).items():
        first = previews_of(settings.prompts[name])[0]
        rows.append(
            {
                "prompt": name,
                "description": settings.prompts[name].settings.description,
                "owner": draft.owner,
                "variables": sorted(draft.prompt.variables),
                "languages": sorted(draft.prompt.locales),
                "samples": len(draft.samples),
                "tokens": sum(estimated(message.text) for message in first.messages),
                "routes": sorted({one.route for one in draft.asked}),
                "path": draft.path,
            }
        )
    session.printer.rows(rows, LISTED)
    if not rows:
        session.printer.note("no prompts yet; add prompts/NAME.md, or see prompt import --help")


@verb(app, "lint")
def lint_prompts(
    session: Session,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Only of these; else all.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail, too.")] = False,
    junit: Annotated[Path | None, typer.Option(help="Also write JUnit XML there, for CI.")] = None,
    sarif: Annotated[
        Path | None, typer.Option(help="Also write SARIF 2.1.0 there, for code hosts.")
    ] = None,
) -> None:
    """Check prompts: what keeps them from being served, and what they should not be released with.

    Exit code 1 if there is an error. A prompt says in its key allow what may stand, and why.

    Examples:
      steadyhand prompt lint
      steadyhand prompt lint support --strict --junit lint.xml --sarif lint.sarif
    """
    from steadyhand import __version__
    from steadyhand.prompts.lint import RULES, fails
    from steadyhand.prompts.reports import junit as junit_of
    from steadyhand.prompts.reports import sarif as sarif_of
    from steadyhand.settings.problems import CODES
    from steadyhand.settings.prompt_drafts import lint_workspace

    checked, findings = lint_workspace(session.workspace, names or [])
    if junit is not None:
        junit.write_text(junit_of(checked, findings, strict=strict), encoding="utf-8")
    if sarif is not None:
        titles = {code: (one.title, one.text) for code, one in CODES.items()}
        titles |= {code: (rule.title, rule.text) for code, rule in RULES.items()}
        log = sarif_of(findings, titles, __version__)
        sarif.write_text(json_format.dumps(log, indent=2) + "\n", encoding="utf-8")
    as_json = session.printer.format == "json"
    shown = [one._asdict() for one in findings if as_json or not one.allowed]
    session.printer.rows(shown, FOUND)
    allowed = sum(bool(one.allowed) for one in findings)
    errors = sum(one.level == "error" and not one.allowed for one in findings)
    counts = [_many(errors, "error"), _many(len(findings) - errors - allowed, "warning")]
    counts += [f"{allowed} allowed"] if allowed else []
    session.printer.note(f"{_many(len(checked), 'prompt')}: {', '.join(counts)}")
    if fails(findings, strict=strict):
        raise typer.Exit(1)


@verb(app, "render")
def render_prompt(
    session: Session,
    name: Name,
    sample: Annotated[str, typer.Option(help="Name of one of its samples; else the first.")] = "",
    values: Annotated[
        Path | None, typer.Option(help="JSON file with the variables, in place of a sample.")
    ] = None,
    locale: Annotated[str, typer.Option(help="Language tag.")] = "",
    labels: Annotated[
        bool, typer.Option("--labels", help="Show each piece with where it is from.")
    ] = False,
) -> None:
    """Show what a model gets before the client's messages.

    Examples:
      steadyhand prompt render support
      steadyhand prompt render support --sample "a long question" --locale de --labels
    """
    from steadyhand.core.errors import InvalidValue
    from steadyhand.prompts.draft import Sample
    from steadyhand.settings.previews import preview, previews_of

    found = _prompt(session, name)
    if values is not None:
        given = _read_values(values)
        shown = preview(found, Sample(str(values), given, locale))
    else:
        shown = _of_sample(found, previews_of(found), sample, locale)
    if shown.mistake:
        raise InvalidValue(f"{shown.sample}: {shown.mistake}", hint="see prompt lint")
    segments = [
        {
            "role": message.role,
            "text": piece.text,
            "origin": piece.origin,
            "trust": piece.trust,
            "variables": list(piece.names),
        }
        for message in shown.messages
        for piece in message.segments
    ]
    if labels or session.printer.format != "table":
        session.printer.rows(segments, SEGMENTS)
        return
    for message in shown.messages:
        session.printer.out.write(f"[{message.role}]\n{message.text}\n\n")
    session.printer.out.flush()


def _of_sample(
    found: "PromptFile", shown: "Sequence[Preview]", sample: str, locale: str
) -> "Preview":
    from steadyhand.cli.suggestions import did_you_mean
    from steadyhand.core.errors import NotFound
    from steadyhand.prompts.draft import Sample
    from steadyhand.settings.previews import preview

    names = [one.name for one in found.settings.samples]
    if sample and sample not in names:
        hint = did_you_mean(sample, names) or f"samples are {', '.join(names) or 'none yet'}"
        raise NotFound(f"prompt {found.prompt.name!r} has no sample {sample!r}", hint=hint)
    for one in found.settings.samples:
        if one.name == (sample or names[0]):
            return preview(found, Sample(one.name, one.variables, locale or one.locale))
    made_up = Sample(shown[0].sample, found.prompt.example, locale)
    return preview(found, made_up)


def _read_values(path: Path) -> dict[str, Any]:
    from steadyhand.core.errors import InvalidValue

    try:
        given = json_format.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidValue(f"{path} cannot be read: {error}") from error
    if not isinstance(given, dict):
        raise InvalidValue(f"{path} is no JSON object", hint='{"variable": "value"}')
    return given


@verb(app, "import")
def import_prompts(
    session: Session,
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="A folder, or an export.")],
    owner: Annotated[str, typer.Option(help="Who answers for them from now on.")],
    kind: Annotated[
        str, typer.Option("--from", help="folder (of .txt and .md), langfuse or mlflow.")
    ] = "folder",
    placeholders: Annotated[
        str,
        typer.Option(help="In a folder: variables are {{name}} (double), {name} (single), none."),
    ] = "double",
    force: Annotated[bool, typer.Option("--force", help="Replace prompts that are there.")] = False,
) -> None:
    """Write prompts of another tool as files of this workspace; nothing is replaced unasked.

    Their variables come as untrusted text of users: prompt lint then asks what they are.

    Examples:
      steadyhand prompt import old-prompts/ --owner "support team"
      steadyhand prompt import export.json --from langfuse --owner "support team"
    """
    from steadyhand.settings.prompt_import import import_from, write_imported

    imported = import_from(source, kind, owner, placeholders)
    written = write_imported(session.workspace, imported, overwrite=force)
    rows = [
        {"prompt": one.name, "path": path, "notes": list(one.notes)}
        for one, path in zip(imported, written, strict=True)
    ]
    columns = [
        Column("prompt", lambda row: row["prompt"]),
        Column("path", lambda row: row["path"]),
        Column("notes", lambda row: "; ".join(row["notes"]) or "-"),
    ]
    session.printer.rows(rows, columns)
    session.printer.note(f"{_many(len(rows), 'prompt')} written; next: steadyhand prompt lint")


def _settings(session: Session) -> "Settings":
    from steadyhand.settings.load import load

    return load(session.workspace, os.environ, {})


def _prompt(session: Session, name: str) -> "PromptFile":
    prompts = _settings(session).prompts
    return prompts[_known(name, prompts)]


def _known(name: str, known: "Any") -> str:
    from steadyhand.cli.suggestions import did_you_mean
    from steadyhand.core.errors import NotFound

    if name not in known:
        hint = did_you_mean(name, known) or f"prompts are {', '.join(known) or 'none yet'}"
        raise NotFound(f"no prompt {name!r}", hint=hint)
    return name


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _short(text: str) -> str:
    line = text.replace("\n", "⏎")
    return line if len(line) <= 80 else f"{line[:79]}…"
