"""Validate one table by its model, and turn what pydantic finds into problems."""

import re
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from steadyhand.core import plugins
from steadyhand.core.errors import SteadyhandError, UnknownPlugin
from steadyhand.settings.document import Document, Report, dotted
from steadyhand.settings.lines import KeyPath
from steadyhand.settings.problems import nearest

Model = TypeVar("Model", bound=BaseModel)

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def check_name(name: str, what: str, document: Document, path: KeyPath, report: Report) -> None:
    """Note a problem unless ``name`` can stand in a URL, a file name and a metric label."""
    if not _NAME.fullmatch(name):
        report.add(
            "E0109",
            document,
            path,
            f"{what} {name!r} has a name that is not allowed",
            hint="use lower-case letters, digits, '.', '_', '-'; at most 63 characters",
        )


def check_table(
    model: type[Model],
    values: Mapping[str, object],
    document: Document,
    path: KeyPath,
    report: Report,
) -> Model | None:
    """Return ``values`` as ``model``, or ``None`` and a problem for each mistake.

    Args:
        model: What the table must be.
        values: The table, as it stands at ``path`` of ``document``.
        document: Where it came from.
        path: Its place there.
        report: Where mistakes go.
    """
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_context=False)
        misspelt = {_meant(model, mistake["loc"]) for mistake in mistakes if _is_extra(mistake)}
        for mistake in mistakes:
            if mistake["type"] != "missing" or mistake["loc"] not in misspelt:
                _note(model, mistake, document, path, report)
    except SteadyhandError as error:  # a plugin's own check, with a hint of its own
        report.add("E0105", document, path, error.message, hint=error.hint)
    return None


def load_plugin(
    package: str, kind: str, document: Document, path: KeyPath, report: Report
) -> ModuleType | None:
    """Return the plugin ``kind`` of ``package``, or ``None`` and a problem."""
    try:
        return plugins.load(package, kind)
    except UnknownPlugin as error:
        known = plugins.kinds(package)
        hint = f"kinds are {', '.join(known)}"
        report.add("E0201", document, path, error.message, nearest=nearest(kind, known), hint=hint)
    return None


def _is_extra(mistake: Mapping[str, Any]) -> bool:
    return bool(mistake["type"] == "extra_forbidden")


def _meant(model: type[BaseModel], inner: KeyPath) -> KeyPath | None:
    """Return the place of the key that an unknown key at ``inner`` was probably meant to be."""
    close = nearest(str(inner[-1]), _keys_beside(model, inner))
    return None if close is None else (*inner[:-1], close)


def _note(
    model: type[BaseModel],
    mistake: Mapping[str, Any],
    document: Document,
    path: KeyPath,
    report: Report,
) -> None:
    inner: KeyPath = mistake["loc"]
    place = (*path, *inner)
    last = str(inner[-1]) if inner else ""
    if _is_extra(mistake):
        known = _keys_beside(model, inner)
        hint = f"keys are {', '.join(sorted(known))}" if known else "remove it"
        report.add(
            "E0104",
            document,
            place,
            f"unknown key {last!r}",
            nearest=nearest(last, known),
            hint=hint,
        )
    elif mistake["type"] == "missing":
        hint = _meaning(model, inner)
        report.add("E0106", document, place, f"key {last!r} is missing", hint=hint)
    else:
        said = mistake["msg"].removeprefix("Value error, ")
        reason = said[:1].lower() + said[1:]
        name = dotted(inner) or dotted(path)
        reason = f"{name}: {reason}" if name else reason
        report.add("E0105", document, place, reason, hint=_meaning(model, inner))


def _keys_beside(model: type[BaseModel], inner: KeyPath) -> Iterable[str]:
    """Return the keys that are allowed where ``inner`` points."""
    holder = _holder(model, inner)
    return [] if holder is None else list(holder.model_fields)


def _meaning(model: type[BaseModel], inner: KeyPath) -> str:
    """Return the description of the field at ``inner``, or of the one that holds it."""
    for length in range(len(inner), 0, -1):
        holder = _holder(model, inner[:length])
        field = holder.model_fields.get(str(inner[length - 1])) if holder else None
        if field is not None and field.description:
            return field.description
    return ""


def _holder(model: type[BaseModel], inner: KeyPath) -> type[BaseModel] | None:
    """Return the model whose field ``inner`` points at."""
    holder: type[BaseModel] | None = model
    for part in inner[:-1]:
        if isinstance(part, int):
            continue
        field = holder.model_fields.get(part) if holder else None
        holder = _model_within(field.annotation) if field else None
    return holder


def _model_within(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_within, get_args(annotation))), None)
