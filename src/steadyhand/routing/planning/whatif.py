"""Change one input of a decision: ``candidates.0.health=open``."""

from typing import Any, get_type_hints

import msgspec

from steadyhand.core.errors import InvalidValue
from steadyhand.routing.planning.situation import Situation


def changed(situation: Situation, change: str) -> Situation:
    """Return ``situation`` with one input set otherwise.

    Args:
        situation: Of a record, or of now.
        change: ``PATH=VALUE``; the path names fields and places, with dots between.

    Raises:
        InvalidValue: There is no such input, or it cannot have that value.
    """
    path, equals, text = change.partition("=")
    if not equals:
        raise InvalidValue(
            f"{change!r} is not PATH=VALUE", hint="for example candidates.0.health=open"
        )
    whole: Situation = _set(situation, path.split("."), text, change)
    return whole


def _set(value: Any, path: list[str], text: str, change: str) -> Any:
    step, rest = path[0], path[1:]
    if isinstance(value, tuple):
        if not step.isdecimal() or int(step) >= len(value):
            raise InvalidValue(
                f"{change!r}: there is no candidate {step!r}",
                hint=f"there are {len(value)}, counted from 0",
            )
        place = int(step)
        return (*value[:place], _below(value[place], rest, text, change), *value[place + 1 :])
    fields = value.__struct_fields__
    if step not in fields:
        raise InvalidValue(
            f"{change!r}: there is no input {step!r}", hint=f"inputs here: {', '.join(fields)}"
        )
    inner = getattr(value, step)
    if isinstance(inner, tuple | msgspec.Struct):
        return msgspec.structs.replace(value, **{step: _below(inner, rest, text, change)})
    if rest:
        raise InvalidValue(f"{change!r}: {step!r} has no parts", hint=f"write {step}=VALUE")
    kind = get_type_hints(type(value))[step]
    try:
        new = msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidValue(f"{change!r}: {error}", hint=f"it is {inner!r} now") from error
    return msgspec.structs.replace(value, **{step: new})


def _below(inner: Any, rest: list[str], text: str, change: str) -> Any:
    if not rest:
        parts = ", ".join(getattr(inner, "__struct_fields__", ("0", "1", "...")))
        raise InvalidValue(f"{change!r} names more than one input", hint=f"its parts: {parts}")
    return _set(inner, rest, text, change)
