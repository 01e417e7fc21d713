"""From Jinja's expressions to ours, with types: what could fail in a request is refused here. Pure.

Allowed is what :func:`Reader.expression` knows, and nothing else: no calls, no arithmetic, no
attributes of objects, no list displays but after ``in``. Everything has a kind that is known from
the variables' declarations, and nothing can be undefined.
"""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from jinja2 import nodes

from steadyhand.prompts.filters import FILTERS
from steadyhand.prompts.model import (
    LOOP,
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

_LOOP_KINDS: Final = {
    "index": "integer",
    "index0": "integer",
    "first": "boolean",
    "last": "boolean",
    "length": "integer",
}
_SINGLE: Final = frozenset({"text", "integer", "number", "boolean", "any"})
_NUMBERS: Final = frozenset({"integer", "number"})
_ONE_OF: Final = {"texts": "text", "records": "record"}
_WHY_NOT: Final = {
    "Call": "functions cannot be called",
    "Test": "'is' is not needed: every variable is defined; give it a default to test it",
    "List": "lists can only stand after 'in'",
    "Getitem": "a field is written with a dot: passage.text",
}


class Bound(NamedTuple):
    """What a name stands for.

    Attributes:
        kind: A kind of variable, ``record`` or ``loop``.
        names: Variables of the prompt that it comes from.
        fields: Of a record, or of each record in a list.
        items: Most items that a list has.
    """

    kind: str
    names: frozenset[str]
    fields: tuple[str, ...] = ()
    items: int = 1


class Typed(NamedTuple):
    """An expression and what is known of its value; see :class:`Bound`."""

    expression: Expression
    kind: str
    names: frozenset[str] = frozenset()
    fields: tuple[str, ...] = ()
    items: int = 1


_WRONG: Final = Typed(Constant(""), "any")


class Reader:
    """Reads expressions; mistakes go to ``note``, and stand for a value that fits everywhere."""

    def __init__(
        self, note: Callable[[str, int, str, str | None, str], None], used: set[str]
    ) -> None:
        """Take whom to tell mistakes (code, line, reason, nearest, hint), and where names go."""
        self._note = note
        self._used = used
        self._readers: dict[type, Callable[[Any, Mapping[str, Bound]], Typed]] = {
            nodes.Const: self._constant,
            nodes.Name: self._name,
            nodes.Getattr: self._item,
            nodes.Filter: self._filter,
            nodes.Compare: self._compare,
            nodes.And: self._join,
            nodes.Or: self._join,
            nodes.Not: self._negate,
            nodes.CondExpr: self._either,
            nodes.Concat: self._glue,
        }

    def expression(self, node: nodes.Node, scope: Mapping[str, Bound]) -> Typed:
        """Return ``node`` in our form."""
        read = self._readers.get(type(node))
        if read is not None:
            return read(node, scope)
        name = type(node).__name__
        return self._wrong(node, _WHY_NOT.get(name, f"{name} is not part of a prompt's language"))

    def single(self, node: nodes.Node, scope: Mapping[str, Bound]) -> Typed:
        """Return ``node`` as a value that can be said."""
        found = self.expression(node, scope)
        if found.kind in _SINGLE:
            return found
        hint = {
            "texts": "say how: NAME | join(', '), or a loop over it",
            "records": "say how: NAME | tojson, or a loop over it",
        }.get(found.kind, "say one of its fields, or NAME | tojson")
        return self._wrong(node, f"a value of kind {found.kind} cannot be said as it is", hint)

    def _wrong(
        self, node: nodes.Node, reason: str, hint: str = "", nearest: str | None = None
    ) -> Typed:
        self._note("E0501", node.lineno, reason, nearest, hint)
        return _WRONG

    def _constant(self, node: nodes.Const, _: Mapping[str, Bound]) -> Typed:
        kinds = {str: "text", int: "integer", float: "number", bool: "boolean"}
        kind = kinds.get(type(node.value))
        if kind is None:
            return self._wrong(node, "there is no 'none': every variable is defined")
        return Typed(Constant(node.value), kind)

    def _name(self, node: nodes.Name, scope: Mapping[str, Bound]) -> Typed:
        bound = scope.get(node.name)
        if bound is None:
            near = next(iter(get_close_matches(node.name, sorted(scope), n=1)), None)
            reason = f"{node.name!r} is not a variable of this prompt"
            hint = f"declare it: [variables.{node.name}]"
            self._note("E0502", node.lineno, reason, near, hint)
            return _WRONG
        self._used.update(bound.names)
        return Typed(Name(node.name), *bound)

    def _item(self, node: nodes.Getattr, scope: Mapping[str, Bound]) -> Typed:
        of = self.expression(node.node, scope)
        if of.kind == "any":
            return of
        fields: Mapping[str, str] = {}
        if of.kind == LOOP:
            fields = _LOOP_KINDS
        elif of.kind == "record":
            fields = dict.fromkeys(of.fields, "text")
        if node.attr not in fields or not isinstance(of.expression, Name):
            near = next(iter(get_close_matches(node.attr, sorted(fields), n=1)), None)
            hint = f"fields are {', '.join(fields)}" if fields else "only records have fields"
            return self._wrong(node, f"there is no field {node.attr[:63]!r} here", hint, near)
        return Typed(Item(of.expression.name, node.attr), fields[node.attr], of.names)

    def _filter(self, node: nodes.Filter, scope: Mapping[str, Bound]) -> Typed:
        # Without a value there are only the filters of filter blocks, which are refused as such.
        value = self.expression(node.node or nodes.Const(None), scope)
        found = FILTERS.get(node.name)
        if found is None:
            near = next(iter(get_close_matches(node.name, FILTERS, n=1)), None)
            hint = f"filters are {', '.join(FILTERS)}"
            return self._wrong(node, f"there is no filter {node.name!r}", hint, near)
        if value.kind != "any" and value.kind not in found.takes:
            takes = " or ".join(sorted(found.takes))
            return self._wrong(node, f"{node.name} takes {takes}, not {value.kind}")
        arguments = [one.value if isinstance(one, nodes.Const) else None for one in node.args]
        fits = found.needed <= len(arguments) <= len(found.arguments)
        is_plain = not (node.kwargs or node.dyn_args or node.dyn_kwargs)
        typed = zip(arguments, found.arguments, strict=False)
        if not (fits and is_plain and all(type(one) is wanted for one, wanted in typed)):
            wanted = ", ".join(kind.__name__ for kind in found.arguments) or "none"
            return self._wrong(node, f"{node.name} takes these arguments: {wanted}")
        filtered = Filtered(
            value.expression, node.name, tuple(one for one in arguments if one is not None)
        )
        return Typed(filtered, found.gives, value.names)

    def _compare(self, node: nodes.Compare, scope: Mapping[str, Bound]) -> Typed:
        if len(node.ops) != 1:
            return self._wrong(node, "one comparison at a time: a < b and b < c")
        operand = node.ops[0]
        left = self.single(node.expr, scope)
        if operand.op in ("in", "notin") and isinstance(operand.expr, nodes.List | nodes.Tuple):
            return self._among(node, operand, left, scope)
        right = self.expression(operand.expr, scope)
        if not _comparable(operand.op, left.kind, right.kind):
            reason = f"{left.kind} cannot be compared with {right.kind} by this"
            return self._wrong(node, reason)
        compared = Compared(left.expression, operand.op, right.expression)  # type: ignore[arg-type]
        return Typed(compared, "boolean", left.names | right.names)

    def _among(
        self,
        node: nodes.Compare,
        operand: nodes.Operand,
        left: Typed,
        scope: Mapping[str, Bound],
    ) -> Typed:
        """Return ``x in [a, b]`` as ``x == a or x == b``."""
        listed: Any = operand.expr
        items = [self.single(one, scope) for one in listed.items]
        if not all(_comparable("eq", left.kind, one.kind) for one in items) or not items:
            return self._wrong(node, f"a list of {left.kind} must stand here")
        tests = tuple(Compared(left.expression, "eq", one.expression) for one in items)
        found: Expression = Joined("or", tests)
        names = left.names.union(*(one.names for one in items))
        return Typed(found if operand.op == "in" else Joined("not", (found,)), "boolean", names)

    def _negate(self, node: nodes.Not, scope: Mapping[str, Bound]) -> Typed:
        value = self.expression(node.node, scope)
        return Typed(Joined("not", (value.expression,)), "boolean", value.names)

    def _join(self, node: nodes.And | nodes.Or, scope: Mapping[str, Bound]) -> Typed:
        left, right = self.expression(node.left, scope), self.expression(node.right, scope)
        by = Joined("and" if isinstance(node, nodes.And) else "or", (left[0], right[0]))
        return self._either_kind(node, by, left, right)

    def _glue(self, node: nodes.Concat, scope: Mapping[str, Bound]) -> Typed:
        parts = [self.single(one, scope) for one in node.nodes]
        glued = Glued(tuple(part.expression for part in parts))
        return Typed(glued, "text", frozenset().union(*(part.names for part in parts)))

    def _either(self, node: nodes.CondExpr, scope: Mapping[str, Bound]) -> Typed:
        if node.expr2 is None:
            return self._wrong(node, "an 'if' in an expression needs an 'else'")
        test = self.expression(node.test, scope)
        then = self.expression(node.expr1, scope)
        otherwise = self.expression(node.expr2, scope)
        either = Either(test.expression, then.expression, otherwise.expression)
        found = self._either_kind(node, either, then, otherwise)
        return found._replace(names=found.names | test.names)

    def _either_kind(
        self, node: nodes.Node, expression: Expression, one: Typed, other: Typed
    ) -> Typed:
        """Return an expression that is ``one`` or ``other``: both must be of one kind."""
        kinds = {one.kind, other.kind} - {"any"}
        if len(kinds) > 1 and not (kinds <= _SINGLE):
            return self._wrong(node, f"{one.kind} or {other.kind}: it must be one of them")
        kind = kinds.pop() if len(kinds) == 1 else "text" if kinds else "any"
        fields = one.fields if one.fields == other.fields else ()
        names, items = one.names | other.names, max(one.items, other.items)
        return Typed(expression, kind, names, fields, items)


def _comparable(operator: str, left: str, right: str) -> bool:
    if "any" in (left, right):
        return True
    if operator in ("in", "notin"):
        return left == "text" and right in ("text", "texts")
    if {left, right} <= _NUMBERS:
        return True
    return left == right and (left == "text" or (left == "boolean" and operator in ("eq", "ne")))


def item_of(found: Typed) -> Bound | None:
    """Return what an item of a list is; ``None`` if ``found`` is no list."""
    kind = _ONE_OF.get(found.kind, "any" if found.kind == "any" else "")
    return Bound(kind, found.names, found.fields) if kind else None
