"""Read what prompts name beside text: ``tools/<name>.json`` and ``schemas/<name>.json``."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from steadyhand.settings.document import Document, Report, read_text
from steadyhand.settings.lines import KeyPath

TOOLS: Final = "tools"
SCHEMAS: Final = "schemas"
_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def read_tools(
    root: Path, names: Sequence[str], document: Document, report: Report
) -> dict[str, msgspec.Raw]:
    """Return path → tool, in OpenAI's form, of the files ``names`` of ``tools/``."""
    tools = {}
    for index, name in enumerate(names):
        file = f"{TOOLS}/{name}.json"
        found = _read(root, file, name, document, ("tools", index), report)
        if found is None:
            continue
        if found.get("name") != name or not isinstance(found.get("description"), str):
            report.add_file(
                "E0505",
                f"{file}:1",
                "a tool has a name, that of its file, and a description",
                hint=f'{{"name": "{name}", "description": "…", "parameters": {{…}}}}',
            )
        _check_schema(found.get("parameters", {}), file, report)
        tools[file] = msgspec.Raw(msgspec.json.encode({"type": "function", "function": found}))
    return tools


def read_output(root: Path, name: str | None, document: Document, report: Report) -> str:
    """Return ``response_format`` for the schema in ``schemas/<name>.json``, or nothing."""
    if name is None:
        return ""
    file = f"{SCHEMAS}/{name}.json"
    schema = _read(root, file, name, document, ("output_schema",), report)
    if schema is None:
        return ""
    _check_schema(schema, file, report)
    wanted = {"name": name, "strict": _is_strict(schema), "schema": schema}
    return msgspec.json.encode({"type": "json_schema", "json_schema": wanted}).decode()


def _is_strict(schema: Any) -> bool:
    """Tell whether OpenAI's strict mode takes ``schema``: closed objects, all fields needed."""
    if isinstance(schema, list):
        return all(map(_is_strict, schema))
    if not isinstance(schema, dict):
        return True
    properties = schema.get("properties")
    if schema.get("type") == "object" or isinstance(properties, dict):
        is_closed = schema.get("additionalProperties") is False
        if not is_closed or set(schema.get("required", ())) != set(properties or ()):
            return False
    return all(map(_is_strict, schema.values()))


def _read(
    root: Path, file: str, name: str, document: Document, path: KeyPath, report: Report
) -> dict[str, Any] | None:
    if not _NAME.fullmatch(name) or not (root / file).is_file():
        report.add("E0505", document, path, f"there is no file {file[:100]}", hint="add it")
        return None
    text = read_text(root, file, report)
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        report.add_file("E0505", f"{file}:1", f"not a JSON object: {error}")
    return None


def _check_schema(schema: object, file: str, report: Report) -> None:
    # Only here: most workspaces have neither tools nor schemas, and it is slow to import.
    from jsonschema import Draft202012Validator, SchemaError  # noqa: PLC0415

    try:
        Draft202012Validator.check_schema(schema)  # type: ignore[arg-type]
    except SchemaError as error:
        where = "/".join(map(str, error.absolute_path)) or "its top"
        reason = f"no JSON schema at {where[:100]}: {error.message[:200]}"
        report.add_file("E0505", f"{file}:1", reason)
