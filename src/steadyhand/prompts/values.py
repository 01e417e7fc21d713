"""Are the values that a request gives for a prompt's variables what the prompt declares? Pure."""

from collections.abc import Mapping
from difflib import get_close_matches
from math import isfinite
from typing import Any, Final

from steadyhand.core.errors import InvalidRequest
from steadyhand.prompts.model import Variable

FIELD: Final = "steadyhand.variables"
"""Where a request has them."""

_NUMBERS: Final = {"integer": int, "number": (int, float), "boolean": bool}
_SAMPLES: Final[dict[str, Any]] = {"integer": 1, "number": 1.5, "boolean": True}


class VariableMissing(InvalidRequest):
    """The route's prompt needs a variable that the request does not give."""

    code = "variable_missing"


class VariableInvalid(InvalidRequest):
    """A variable's value is not what the route's prompt declares."""

    code = "variable_invalid"


def checked(variables: Mapping[str, Variable], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a value for every variable.

    What is given beyond them is left out: a candidate and the stable release may have different
    variables, and who calls cannot know which of them answers.

    Raises:
        VariableMissing: A required one is not given.
        VariableInvalid: One is of another type, too long, or not among its choices.
    """
    values = {}
    for name, variable in variables.items():
        value = given.get(name)
        if value is None:
            if variable.is_required:
                raise _missing(variables, given)
            value = variable.default
        else:
            wrong = mistake(variable, value)
            if wrong:
                at = f"{FIELD}.{name}"
                raise VariableInvalid(f"variable {name!r} {wrong}", param=at)
        values[name] = value
    return values


def mistake(variable: Variable, value: Any) -> str:
    """Return what is wrong with ``value``; empty if it is one of ``variable``."""
    kind = variable.kind
    if kind == "text":
        return _of_text(variable, value)
    if kind == "texts":
        return _of_list(variable, value) or _first(_of_text(variable, one) for one in value)
    if kind == "records":
        return _of_list(variable, value) or _first(_of_record(variable, one) for one in value)
    if isinstance(value, bool) is not (kind == "boolean") or not isinstance(value, _NUMBERS[kind]):  # type: ignore[arg-type]
        return f"must be of type {kind}"
    if isinstance(value, int | float) and (not isfinite(value) or abs(value) > 1e15):
        return "must be a number between -1e15 and 1e15"
    return ""


def example_of(variable: Variable) -> Any:
    """Return a value that ``variable`` takes: to try a prompt of which no sample is known."""
    if not variable.is_required:
        return variable.default
    text = variable.choices[0] if variable.choices else "example"[: variable.max_chars]
    if variable.kind == "text":
        return text
    if variable.kind == "texts":
        return [text]
    if variable.kind == "records":
        return [dict.fromkeys(variable.fields, text)]
    return _SAMPLES[variable.kind]


def _missing(variables: Mapping[str, Variable], given: Mapping[str, Any]) -> VariableMissing:
    """Return an error that names all that are missing, and what may have been meant by one."""
    names = [name for name, one in variables.items() if one.is_required and given.get(name) is None]
    strangers = [key for key in given if isinstance(key, str) and key not in variables]
    hint = f"give {FIELD}.{names[0]}"
    for name in names:
        near = get_close_matches(name, strangers, n=1)
        if near:
            hint = f"did you mean {name!r} by {near[0][:63]!r}?"
            break
    told = ", ".join(map(repr, names))
    noun = "variable" if len(names) == 1 else "variables"
    return VariableMissing(
        f"the route's prompt needs the {noun} {told}", hint=hint, param=f"{FIELD}.{names[0]}"
    )


def _first(mistakes: Any) -> str:
    return next(filter(None, mistakes), "")


def _of_text(variable: Variable, value: Any) -> str:
    if not isinstance(value, str):
        return "must be text"
    if len(value) > variable.max_chars:
        return f"has {len(value):,} characters, and {variable.max_chars:,} are allowed"
    if variable.choices and value not in variable.choices:
        return f"must be one of {', '.join(variable.choices)}"
    return ""


def _of_list(variable: Variable, value: Any) -> str:
    if not isinstance(value, list):
        return "must be a list"
    if len(value) > variable.max_items:
        return f"has {len(value):,} items, and {variable.max_items:,} are allowed"
    return ""


def _of_record(variable: Variable, value: Any) -> str:
    if not isinstance(value, dict) or value.keys() != set(variable.fields):
        return f"must have the fields {', '.join(variable.fields)} in each record, and no others"
    return _first(_of_text(variable, one) for one in value.values())
