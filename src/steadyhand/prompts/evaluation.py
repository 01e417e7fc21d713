"""From an expression to a closure that computes it. Pure; kinds were checked when it was read."""

from collections.abc import Callable
from operator import contains, eq, ge, gt, le, lt, ne
from typing import Any, Final

from steadyhand.prompts.filters import FILTERS, spoken
from steadyhand.prompts.model import (
    Compared,
    Constant,
    Either,
    Expression,
    Filtered,
    Glued,
    Item,
    Joined,
    Name,
)

Scope = dict[str, Any]
"""Name → value, of variables and of the loops around."""

Value = Callable[[Scope], Any]

_COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "eq": eq,
    "ne": ne,
    "lt": lt,
    "lteq": le,
    "gt": gt,
    "gteq": ge,
    "in": lambda left, right: contains(right, left),
    "notin": lambda left, right: not contains(right, left),
}


def evaluator(expression: Expression) -> Value:
    """Return what computes ``expression``, which was checked when it was read."""
    maker = _MAKERS[type(expression)]
    return maker(expression)


def _constant(one: Constant) -> Value:
    value = one.value
    return lambda _: value


def _name(one: Name) -> Value:
    name = one.name
    return lambda scope: scope[name]


def _item(one: Item) -> Value:
    of, key = one.of, one.key
    return lambda scope: scope[of][key]


def _filtered(one: Filtered) -> Value:
    value, apply, arguments = evaluator(one.value), FILTERS[one.filter].apply, one.arguments
    return lambda scope: apply(value(scope), *arguments)


def _compared(one: Compared) -> Value:
    left, compare, right = evaluator(one.left), _COMPARISONS[one.by], evaluator(one.right)
    return lambda scope: compare(left(scope), right(scope))


def _joined(one: Joined) -> Value:
    values = [evaluator(value) for value in one.values]
    if one.by == "not":
        return lambda scope: not values[0](scope)
    stops_at = one.by == "or"

    def decide(scope: Scope) -> Any:
        found = None
        for value in values:
            found = value(scope)
            if bool(found) is stops_at:
                break
        return found

    return decide


def _either(one: Either) -> Value:
    test, then, otherwise = evaluator(one.test), evaluator(one.then), evaluator(one.otherwise)
    return lambda scope: then(scope) if test(scope) else otherwise(scope)


def _glued(one: Glued) -> Value:
    values = [evaluator(value) for value in one.values]
    return lambda scope: "".join(spoken(value(scope)) for value in values)


_MAKERS: Final[dict[type, Callable[[Any], Value]]] = {
    Constant: _constant,
    Name: _name,
    Item: _item,
    Filtered: _filtered,
    Compared: _compared,
    Joined: _joined,
    Either: _either,
    Glued: _glued,
}
