"""Prompts of other tools, as the files of a workspace. Pure.

Langfuse: what its public API returns for a prompt (``name``, ``version``, ``type``, ``prompt``,
``config``, ``labels``, ``commitMessage``), one, several, or ``{"data": [...]}``. MLflow: objects of
its prompt registry (``name``, ``version``, ``template``, ``commit_message``), or model versions as
its REST API returns them, whose tag ``mlflow.prompt.text`` holds the template. Both write variables
as ``{{name}}``. Of several versions the one labelled ``production`` is taken, else the highest.

Nobody there says whose words a variable holds, so every one becomes untrusted text of a user, and
``prompt lint`` asks what it is.
"""

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple

from steadyhand.core.errors import InvalidRequest

_DOUBLE: Final = re.compile(r"\{\{\s*([A-Za-z_][\w.]*)\s*\}\}")
_SINGLE: Final = re.compile(r"(?<!\{)\{([A-Za-z_]\w*)\}(?!\})")
_MARKS: Final = re.compile(r"\{\{|\{%|\{#")
_ROLES: Final = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}
_PARAMETERS: Final = ("temperature", "top_p", "max_tokens", "max_completion_tokens", "seed")
_MLFLOW_TEXT: Final = "mlflow.prompt.text"
PLACEHOLDERS: Final = {"double": _DOUBLE, "single": _SINGLE, "none": None}
"""How a text writes its variables: ``{{name}}``, ``{name}``, or not at all."""


class ExportUnreadable(InvalidRequest):
    """What is to be imported is not what the tool in question exports."""

    code = "export_unreadable"


class Imported(NamedTuple):
    """A prompt as a file.

    Attributes:
        name: Of the file, without ``.md``.
        text: The whole file.
        notes: What somebody should know: what was left out or renamed.
    """

    name: str
    text: str
    notes: tuple[str, ...]


class _Source(NamedTuple):
    """One version of a prompt elsewhere."""

    name: str
    version: int
    messages: list[tuple[str, str]]
    config: Mapping[str, Any]
    labels: tuple[str, ...]
    message: str


def of_text(name: str, text: str, owner: str, placeholders: str = "double") -> Imported:
    """Return a plain text as a prompt; see :data:`PLACEHOLDERS`."""
    source = _Source(name, 0, [("system", text)], {}, (), "")
    return _file(source, owner, "a text file", PLACEHOLDERS[placeholders])


def of_langfuse(export: str, owner: str) -> list[Imported]:
    """Return the prompts in an export of Langfuse.

    Raises:
        ExportUnreadable: It is none.
    """
    sources = [_langfuse(one) for one in _objects(export, ("data", "prompts"))]
    return [_file(one, owner, "Langfuse", _DOUBLE) for one in _newest(sources)]


def of_mlflow(export: str, owner: str) -> list[Imported]:
    """Return the prompts in an export of MLflow's prompt registry.

    Raises:
        ExportUnreadable: It is none.
    """
    found = _objects(export, ("model_versions", "prompts", "model_version"))
    return [_file(one, owner, "MLflow", _DOUBLE) for one in _newest([_mlflow(x) for x in found])]


def _objects(export: str, wrappers: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the objects in a JSON document, or in one a line."""
    try:
        try:
            found = json.loads(export)
        except json.JSONDecodeError:
            found = [json.loads(line) for line in export.splitlines() if line.strip()]
    except (ValueError, RecursionError) as error:
        raise ExportUnreadable(f"not JSON: {error}", hint="export the prompts as JSON") from error
    for wrapper in wrappers:
        if isinstance(found, dict) and wrapper in found:
            found = found[wrapper]
    objects = found if isinstance(found, list) else [found]
    if not objects or not all(isinstance(one, dict) for one in objects):
        raise ExportUnreadable("there is no prompt in it", hint="one JSON object for each prompt")
    return objects


def _langfuse(one: Mapping[str, Any]) -> _Source:
    return _Source(
        _text(one, "name"),
        _version(one),
        _messages(one.get("prompt"), "prompt"),
        _table(one.get("config")),
        tuple(label for label in one.get("labels") or () if isinstance(label, str)),
        str(one.get("commitMessage") or ""),
    )


def _mlflow(one: Mapping[str, Any]) -> _Source:
    tags = one.get("tags") or {}
    if isinstance(tags, list):  # as its REST API has them
        tags = {tag.get("key"): tag.get("value") for tag in tags if isinstance(tag, dict)}
    template = one.get("template", _table(tags).get(_MLFLOW_TEXT))
    if isinstance(template, str) and template.lstrip().startswith("["):  # a chat, as JSON
        with suppress(ValueError):  # a text that begins with a bracket
            template = json.loads(template)
    labels = tuple(one.get("aliases") or ())
    message = one.get("commit_message") or one.get("description") or ""
    config = _table(one.get("model_config"))
    name = {"model": config.get("model_name", config.get("model"))}
    return _Source(
        _text(one, "name"),
        _version(one),
        _messages(template, "template"),
        {**config, **name},
        labels,
        str(message),
    )


def _text(one: Mapping[str, Any], key: str) -> str:
    value = one.get(key)
    if not isinstance(value, str) or not value:
        raise ExportUnreadable(f"an object has no {key!r}", hint="is it an export of prompts?")
    return value


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _version(one: Mapping[str, Any]) -> int:
    try:
        return int(one.get("version") or 0)
    except (TypeError, ValueError):
        return 0


def _messages(found: Any, key: str) -> list[tuple[str, str]]:
    if isinstance(found, str):
        return [("system", found)]
    if not isinstance(found, list):
        raise ExportUnreadable(f"an object has no {key!r} that is a text or a list of messages")
    return [
        (str(one.get("role") or ""), str(one.get("content") or ""))
        for one in found
        if isinstance(one, dict)
    ]


def _newest(sources: Iterable[_Source]) -> list[_Source]:
    """Return one version of each prompt, in order of names."""
    chosen: dict[str, _Source] = {}
    for one in sources:
        held = chosen.get(one.name)
        if held is None or _rank(one) > _rank(held):
            chosen[one.name] = one
    return [chosen[name] for name in sorted(chosen)]


def _rank(one: _Source) -> tuple[bool, int]:
    return "production" in one.labels, one.version


def _file(
    source: _Source, owner: str, origin: str, placeholder: re.Pattern[str] | None
) -> Imported:
    notes: list[str] = []
    variables: dict[str, str] = {}
    parts: list[str] = []
    for role, content in source.messages:
        if role not in _ROLES:
            notes.append(f"a message of role {role or 'none'!r} was left out")
            continue
        mark = "" if not parts and _ROLES[role] == "system" else f'{{% role "{_ROLES[role]}" %}}\n'
        parts.append(mark + _template(content, placeholder, variables))
    name = re.sub(r"[^a-z0-9._-]+", "-", source.name.lower()).strip("-._")[:63] or "prompt"
    if name != source.name:
        notes.append(f"{source.name!r} is now called {name!r}")
    notes += [
        f"variable {old!r} is now called {new!r}" for old, new in variables.items() if old != new
    ]
    lines = _front_matter(source, owner, origin, sorted(set(variables.values())))
    text = "\n".join(["+++", *lines, "+++", "\n\n".join(parts).strip(), ""])
    return Imported(name, text, tuple(notes))


def _template(content: str, placeholder: re.Pattern[str] | None, variables: dict[str, str]) -> str:
    """Return ``content`` in our language; notes its variables, old name → new name."""
    pieces, at = [], 0
    for match in placeholder.finditer(content) if placeholder is not None else ():
        new = re.sub(r"[^a-z0-9_]", "_", match[1].lower())[:63]
        variables[match[1]] = new if new[:1].isalpha() or new[:1] == "_" else f"v_{new}"
        pieces += [_literal(content[at : match.start()]), f"{{{{ {variables[match[1]]} }}}}"]
        at = match.end()
    return "".join([*pieces, _literal(content[at:])])


def _literal(text: str) -> str:
    """Return ``text`` so that the template says it as it is."""
    return _MARKS.sub(lambda match: f'{{{{ "{match[0]}" }}}}', text)


def _front_matter(source: _Source, owner: str, origin: str, variables: list[str]) -> list[str]:
    said = source.message.strip().splitlines()
    version = f", version {source.version}" if source.version else ""
    lines = [
        f"description = {_toml(said[0] if said else f'Imported from {origin}{version}.')}",
        f"owner = {_toml(owner)}",
    ]
    model = source.config.get("model")
    if isinstance(model, str) and model:
        lines.append(f"model = {_toml(model)}")
    if source.version:
        kept = {"imported_from": origin, "version": str(source.version)}
        kept |= {"labels": " ".join(source.labels)} if source.labels else {}
        lines.append(f"metadata = {{ {', '.join(f'{k} = {_toml(v)}' for k, v in kept.items())} }}")
    given = {key: source.config[key] for key in _PARAMETERS if _is_number(source.config.get(key))}
    if given:
        lines += ["", "[parameters]", *(f"{key} = {value}" for key, value in given.items())]
    for name in variables:
        lines += ["", f"[variables.{name}]", 'type = "text"', 'origin = "user"']
    return lines


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _toml(text: str) -> str:
    """Return ``text`` as a TOML string; JSON's strings are, but for one character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
