"""Generate ``docs/reference/settings.md`` from the models themselves.

``python -m steadyhand.settings.reference > docs/reference/settings.md`` writes the page; a test
compares the committed page with what the models say.
"""

import sys
from collections.abc import Iterator
from datetime import date
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from steadyhand.core import plugins
from steadyhand.knowledge.settings import AnswerSettings
from steadyhand.prompts.settings import (
    PartialSettings,
    PromptSettings,
    TranslationSettings,
)
from steadyhand.routing.settings import (
    SLO_CLASSES,
    RouteSettings,
    RungSettings,
    SloSettings,
)
from steadyhand.settings.overrides import variable
from steadyhand.settings.problems import as_written
from steadyhand.settings.routes import RUNGS
from steadyhand.settings.sections import PROVIDERS, TABLES
from steadyhand.settings.tables import PriceSettings
from steadyhand.tenancy.settings import KeySettings

_INTRODUCTION = """\
# Settings

A workspace is a directory that a team keeps in Git. `steadyhand validate` checks it and names the
line and the nearest valid key of each mistake. The unit of a number is the end of its key: `_ms`
milliseconds, `_s` seconds, `_hours`, `_days`, `_bytes`, `_mib` (1,048,576 bytes).

Settings of `steadyhand.toml` can be overridden: file < environment < flags. A variable is
`STEADYHAND_`, the section and the key in upper case with two underscores between levels, and `_`
for `-`; a value that begins with `[` or `{` is JSON. Secrets are given by reference only:
`env:NAME` reads an environment variable, `file:PATH` a file. Paths are relative to the workspace.

This page is generated: `python -m steadyhand.settings.reference`.
"""

_WORDS = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "`true` or `false`",
    date: "date",
    dict: "table",
    Any: "anything",
}
_BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}

Field = tuple[str, FieldInfo]
"""A key, with dots for tables within tables, and what its model says of it."""


def page() -> str:
    """Return the whole page."""
    parts = [_INTRODUCTION, "## `steadyhand.toml`\n"]
    parts += [_section(f"`[{name}]`", model, [name]) for name, model in TABLES.items()]
    parts.append(_section("`[slo.<class>]`", SloSettings, ["slo", "<class>"]))
    parts.append(_classes())
    title = '`[prices."<provider>/<model>"]`'
    parts.append(_section(title, PriceSettings, ["prices", "<provider>/<model>"]))
    for kind in plugins.kinds(PROVIDERS):
        title = f'`[providers.<name>]` with `kind = "{kind}"`'
        model = plugins.load(PROVIDERS, kind).Settings
        parts.append(_section(title, model, ["providers", "<name>"]))
    parts.append("## `keys.toml`\n")
    parts.append(_section("`[keys.<name>]`", KeySettings))
    parts.append("## `routes/<name>.toml`\n")
    parts.append(_section("The file", RouteSettings))
    for kind in plugins.kinds(RUNGS):
        plugin = plugins.load(RUNGS, kind)
        where = "[floor]" if plugin.IS_FLOOR else "[[rungs]]"
        parts.append(_section(f'`{where}` with `kind = "{kind}"`', plugin.Settings))
    parts.append("## `answers/<collection>/**/*.md`\n")
    parts.append(_section("The TOML between the `+++` lines of an answer", AnswerSettings))
    parts.append("## `prompts/<name>.md`\n")
    parts.append(_section("The TOML between the `+++` lines", PromptSettings))
    parts.append("## `prompts/<name>@<language>.md`\n")
    parts.append(_section("The TOML between the `+++` lines of a translation", TranslationSettings))
    parts.append("## `prompts/partials/<name>.md`\n")
    parts.append(_section("The TOML between the `+++` lines of a partial", PartialSettings))
    return "\n".join(parts)


def models() -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield every model whose keys are on the page, with a name for it."""
    yield from TABLES.items()
    yield "prices", PriceSettings
    yield from (("slo", SloSettings), ("keys", KeySettings), ("routes", RouteSettings))
    yield from (("rung", RungSettings), ("prompts", PromptSettings), ("answers", AnswerSettings))
    yield from (("translation", TranslationSettings), ("partial", PartialSettings))
    for package in (PROVIDERS, RUNGS):
        for kind in plugins.kinds(package):
            yield f"{package}.{kind}", plugins.load(package, kind).Settings


def fields(model: type[BaseModel], above: str = "") -> Iterator[Field]:
    """Yield the keys of ``model`` and of the tables within it."""
    for name, field in model.model_fields.items():
        yield f"{above}{name}", field
        inner = _table_within(field.annotation)
        if inner is not None and inner is not RungSettings:
            is_list = get_origin(field.annotation) in {list, tuple}
            yield from fields(inner, f"{above}{name}{'[]' if is_list else ''}.")


def type_in_words(annotation: Any) -> str:
    """Return a type as the page writes it: ``list of string``."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_in_words(arguments[0]) + _bounds(arguments[1:])
    if origin in {Union, UnionType}:
        return " or ".join(type_in_words(part) for part in arguments if part is not NoneType)
    if origin is Literal:
        return " or ".join(f"`{as_written(value)}`" for value in arguments)
    if origin in {list, tuple}:
        return f"list of {type_in_words(arguments[0])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "table"
    return _WORDS.get(origin or annotation, "string")


def _section(title: str, model: type[BaseModel], path: list[str] | None = None) -> str:
    rows = [_row(name, field, path) for name, field in fields(model)]
    if not rows:
        return f"### {title}\n\nNo further keys.\n"
    heads = ["key", "type", "default", "meaning"] + (["environment"] if path else [])
    table = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    return "\n".join([f"### {title}\n", *table, *rows, ""])


def _row(name: str, field: FieldInfo, path: list[str] | None) -> str:
    kind = type_in_words(field.annotation) + _bounds(field.metadata)
    cells = [f"`{name}`", kind, _default(field), field.description or ""]
    if path:
        inner = name.split(".")
        cells.append(f"`{variable([*path, *inner])}`" if "[]" not in name else "")
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    """Escape what Markdown would take for markup: bars, and angle brackets outside of code."""
    parts = text.replace("|", r"\|").split("`")
    parts[::2] = [part.replace("<", "&lt;") for part in parts[::2]]
    return "`".join(parts)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "its defaults"
    return "none" if value is None else f"`{as_written(value)}`"


def _bounds(constraints: Any) -> str:
    bounds = [
        f"{_BOUNDS[name]} {as_written(getattr(constraint, name))}"
        for constraint in constraints
        for name in _BOUNDS
        if isinstance(
            constraint,
            annotated_types.Ge | annotated_types.Gt | annotated_types.Le | annotated_types.Lt,
        )
        and hasattr(constraint, name)
    ]
    return f", {', '.join(bounds)}" if bounds else ""


def _table_within(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_table_within, get_args(annotation))), None)


def _classes() -> str:
    keys = list(SloSettings.model_fields)
    lines = [
        f"| class | {' | '.join(f'`{key}`' for key in keys)} |",
        f"|{'---|' * (len(keys) + 1)}",
    ]
    lines += [
        f"| `{name}` | {' | '.join(f'{table[key]:,}' for key in keys)} |"
        for name, table in SLO_CLASSES.items()
    ]
    return "\n".join(
        ["Built in, and changed by a table of the same name; 0 is no limit:\n", *lines, ""]
    )


if __name__ == "__main__":
    sys.stdout.write(page())
